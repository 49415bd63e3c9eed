// The declaration of tables and keys.
#include "protocol/adapters/toml_kind.hpp"

#include <algorithm>

namespace tomoshibi {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string limits_text(text_limits limits) {
  if (limits.bytes_min == 0) return "a text of at most " + std::to_string(limits.bytes_max) + " bytes";
  return "a text of " + std::to_string(limits.bytes_min) + " to " + std::to_string(limits.bytes_max) + " bytes";
}

bool within(std::string_view text, text_limits limits) {
  if (text.size() < limits.bytes_min || text.size() > limits.bytes_max) return false;
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

config_key& config_table::add(std::string_view name, std::size_t kind, std::string allowed) {
  auto key = std::make_unique<config_key>();
  key->name_ = name;
  key->kind_ = kind;
  key->allowed_ = std::move(allowed);
  keys_.push_back(std::move(key));
  return *keys_.back();
}

config_key& config_table::text(std::string_view name, std::string& into, text_limits limits) {
  auto& key = add(name, kind_of<std::string>, limits_text(limits));
  if (!into.empty()) key.default_toml_ = quoted(into);
  key.now_ = [&into] { return quoted(into); };
  key.store_ = [&into, limits](config_value& v) {
    if (!within(std::get<std::string>(v), limits)) return false;
    into = std::get<std::string>(v);
    return true;
  };
  return key;
}

config_key& config_table::path(std::string_view name, std::string& into) {
  auto& key = text(name, into, {1, 4000});
  key.allowed_ = "a path";
  key.is_path_ = true;
  return key;
}

config_key& config_table::boolean(std::string_view name, bool& into) {
  auto& key = add(name, kind_of<bool>, "true or false");
  key.now_ = [&into] { return into ? "true" : "false"; };
  key.default_toml_ = key.now_();
  key.store_ = [&into](config_value& v) {
    into = std::get<bool>(v);
    return true;
  };
  return key;
}

config_key& config_table::integer_key(std::string_view name, std::int64_t low, std::int64_t high,
                                      const std::function<std::optional<std::int64_t>()>& read,
                                      std::function<void(std::int64_t)> store) {
  auto& key = add(name, kind_of<std::int64_t>, "an integer from " + std::to_string(low) + " to " + std::to_string(high));
  key.now_ = [read] {
    const auto value = read();
    return value ? std::to_string(*value) : std::string{};
  };
  key.default_toml_ = key.now_();
  key.store_ = [low, high, store = std::move(store)](config_value& v) {
    const auto number = std::get<std::int64_t>(v);
    if (number < low || number > high) return false;
    store(number);
    return true;
  };
  return key;
}

config_key& config_table::choice_key(std::string_view name, std::vector<std::string> names,
                                     const std::function<std::string()>& read, std::function<void(std::size_t)> store) {
  std::string allowed = "one of";
  for (const auto& word : names) allowed += " " + quoted(word);
  auto& key = add(name, kind_of<std::string>, std::move(allowed));
  key.now_ = read;
  if (const auto now = read(); !now.empty()) key.default_toml_ = quoted(now);
  key.store_ = [names = std::move(names), store = std::move(store)](config_value& v) {
    const auto found = std::find(names.begin(), names.end(), std::get<std::string>(v));
    if (found == names.end()) return false;
    store(static_cast<std::size_t>(found - names.begin()));
    return true;
  };
  return key;
}

config_key& config_table::text_list(std::string_view name, std::vector<std::string>& into, std::size_t count_min,
                                    std::size_t count_max, text_limits each) {
  auto& key = add(name, kind_of<std::vector<std::string>>,
                  "a list of " + std::to_string(count_min) + " to " + std::to_string(count_max) + " texts, each " +
                      limits_text(each));
  key.now_ = [&into] {
    std::string list = "[";
    for (const auto& text : into) list += (list.size() > 1 ? ", " : "") + quoted(text);
    return list + "]";
  };
  if (!into.empty()) key.default_toml_ = key.now_();
  key.store_ = [&into, count_min, count_max, each](config_value& v) {
    auto& list = std::get<std::vector<std::string>>(v);
    if (list.size() < count_min || list.size() > count_max) return false;
    for (const auto& text : list)
      if (!within(text, each)) return false;
    into = std::move(list);
    return true;
  };
  return key;
}

config_table& config_schema::table(std::string_view name, std::string_view help) {
  tables_.push_back(std::make_unique<config_table>());
  tables_.back()->name_ = name;
  tables_.back()->help_ = help;
  return *tables_.back();
}

}  // namespace tomoshibi
