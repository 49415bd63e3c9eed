// TOML configuration checked against declared keys. The only file that includes toml++ is toml_reader.cpp.
//
// A program declares each key once, bound to a member of its configuration struct; the member's value at that moment is
// the default. From the declarations come the check (unknown key, wrong type, out of range, missing: all of them at once,
// as "file:line: key: what is allowed") and a documented sample, so that the documentation cannot differ from the program.
//
//   struct config { std::string host; std::uint16_t port = 8443; std::vector<thing> things; } c;
//   config_schema schema("What tomoshibi-x does.");
//   config_table& relay = schema.table("relay", "Where records go.");
//   relay.text("host", c.host, {1, 253}).required().help("Name or address.");
//   relay.integer("port", c.port, 1, 65535).help("TCP port.");
//   schema.tables<thing>("thing", c.things, 32, "One for each thing.", [](config_table& t, thing& x) { ... });
//   auto done = schema.read_file(path);
//
// The schema refers to the members: it must not outlive the struct. Errors: config_invalid, not_found (no such file).
#pragma once

#include "protocol/base/log.hpp"
#include "protocol/base/result.hpp"

#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace tomoshibi {

using config_value = std::variant<bool, std::int64_t, std::string, std::vector<std::string>>;

// One declared key. Settings chain: schema.text(...).required().help("...").
class config_key {
public:
  config_key& required() { required_ = true; return *this; }
  config_key& help(std::string_view text) { help_ = text; return *this; }      // sentences; lines are wrapped by the sample
  config_key& example(std::string_view toml) { example_ = toml; return *this; } // shown where there is no default
  config_key& at_start() { at_start_ = true; return *this; }                    // a running program keeps the former value
  // More than type and range: answers what is allowed if the value is not, or an empty string.
  config_key& check(std::function<std::string(const config_value&)> f) { check_ = std::move(f); return *this; }

private:
  friend class config_table;
  friend class config_schema;
  friend class config_reader;
  friend class config_sample;
  std::string name_;
  std::string allowed_;          // "an integer from 1 to 65535"
  std::string help_;
  std::string example_;
  std::string default_toml_;
  std::size_t kind_ = 0;         // index of config_value
  bool is_path_ = false;
  bool required_ = false;
  bool at_start_ = false;
  std::function<std::string()> now_;           // the member's value as TOML
  std::function<std::string(const config_value&)> check_;
  std::function<bool(config_value&)> store_;  // false: outside what is allowed
};

struct text_limits {
  std::size_t bytes_min = 0;
  std::size_t bytes_max = 255;
};

// The keys of one table (or of one element of an array of tables).
class config_table {
public:
  config_key& text(std::string_view name, std::string& into, text_limits limits = {});
  // Relative paths count from the folder of the configuration file.
  config_key& path(std::string_view name, std::string& into);
  config_key& boolean(std::string_view name, bool& into);
  template <std::integral T>
  config_key& integer(std::string_view name, T& into, std::int64_t low, std::int64_t high) {
    return integer_key(name, low, high, [&into] { return std::optional{static_cast<std::int64_t>(into)}; },
                       [&into](std::int64_t v) { into = static_cast<T>(v); });
  }
  template <std::integral T>  // a key that may be absent
  config_key& integer(std::string_view name, std::optional<T>& into, std::int64_t low, std::int64_t high) {
    return integer_key(name, low, high, [&into] { return into ? std::optional{static_cast<std::int64_t>(*into)} : std::nullopt; },
                       [&into](std::int64_t v) { into = static_cast<T>(v); });
  }
  template <class E>  // a strong id; 0 is no default
    requires std::is_enum_v<E>
  config_key& integer(std::string_view name, E& into, std::int64_t low, std::int64_t high) {
    const auto read = [&into] {
      const auto value = static_cast<std::int64_t>(std::to_underlying(into));
      return value != 0 ? std::optional{value} : std::nullopt;
    };
    return integer_key(name, low, high, read, [&into](std::int64_t v) { into = static_cast<E>(v); });
  }
  // One of a few words.
  template <class E>
  config_key& choice(std::string_view name, E& into, std::vector<std::pair<std::string, E>> words) {
    std::vector<std::string> names;
    for (const auto& entry : words) names.push_back(entry.first);
    const auto read = [&into, words] {
      for (const auto& [word, value] : words)
        if (value == into) return word;
      return std::string{};
    };
    return choice_key(name, std::move(names), read, [&into, words](std::size_t i) { into = words[i].second; });
  }
  config_key& text_list(std::string_view name, std::vector<std::string>& into, std::size_t count_min,
                        std::size_t count_max, text_limits each = {1, 255});

private:
  friend class config_schema;
  friend class config_reader;
  friend class config_sample;
  config_key& integer_key(std::string_view name, std::int64_t low, std::int64_t high,
                          const std::function<std::optional<std::int64_t>()>& read, std::function<void(std::int64_t)> store);
  config_key& choice_key(std::string_view name, std::vector<std::string> names, const std::function<std::string()>& read,
                         std::function<void(std::size_t)> store);
  config_key& add(std::string_view name, std::size_t kind, std::string allowed);
  std::string name_;
  std::string help_;
  std::vector<std::unique_ptr<config_key>> keys_;
};

class config_schema {
public:
  explicit config_schema(std::string_view about) : about_(about) {}

  config_table& table(std::string_view name, std::string_view help);  // "" = keys before the first table

  // [[name]], at most count_max times. `declare` declares the keys of one element.
  template <class T>
  void tables(std::string_view name, std::vector<T>& into, std::size_t count_max, std::string_view help,
              std::function<void(config_table&, T&)> declare) {
    // Elements are declared against a value of their own and moved in when read, so that growing the vector moves nothing
    // that a key is bound to.
    auto slot = std::make_shared<T>();
    array_of_tables array;
    array.name = name;
    array.help = help;
    array.count_max = count_max;
    array.declare = [slot, declare](config_table& t) {
      *slot = T{};
      declare(t, *slot);
    };
    array.take = [slot, &into] { into.push_back(std::move(*slot)); };
    array.clear = [&into] { into.clear(); };
    arrays_.push_back(std::move(array));
  }

  // What holds between keys, asked after all keys are read: add lines "key: what is allowed".
  void check_all(std::function<void(std::vector<std::string>&)> f) { check_all_ = std::move(f); }

  status read_file(const std::string& path);
  status read_text(std::string_view toml, const std::string& name_for_errors);

  std::string sample() const;       // a whole file: every key with help, range and default

  // The keys outside arrays of tables in which the members now differ from another schema's of the same declarations.
  struct difference {
    std::string key;                // "device.port"
    bool at_start = false;
  };
  std::vector<difference> differences(const config_schema& other) const;

private:
  friend class config_reader;
  friend class config_sample;
  struct array_of_tables {
    std::string name;
    std::string help;
    std::size_t count_max = 0;
    std::function<void(config_table&)> declare;
    std::function<void()> take;
    std::function<void()> clear;
  };
  std::string about_;
  std::vector<std::unique_ptr<config_table>> tables_;
  std::vector<array_of_tables> arrays_;
  std::function<void(std::vector<std::string>&)> check_all_;
};

// What a reload says of them: configuration_changed, and restart_needed for the keys that keep their former value.
void log_differences(const std::vector<config_schema::difference>& differences, const logger& log);

}  // namespace tomoshibi
