#include "protocol/adapters/toml_reader.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <toml++/toml.h>
#include <tuple>
#include <type_traits>
#include <variant>

namespace tomoshibi {
namespace {

constexpr std::size_t file_bytes_max = 1024 * 1024;
constexpr std::size_t problems_max = 50;     // a file of another kind must not fill the screen

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

// The index of T in config_value. Counted by type: clang with libstdc++ 12 makes no constant std::string.
template <class T, class... Kinds>
consteval std::size_t index_in(std::type_identity<std::variant<Kinds...>>) {
  const std::array same{std::is_same_v<T, Kinds>...};
  return static_cast<std::size_t>(std::find(same.begin(), same.end(), true) - same.begin());
}
template <class T>
constexpr std::size_t kind_of = index_in<T>(std::type_identity<config_value>{});

// What TOML holds, as one of our kinds; nothing for kinds that no key has (dates, floats, tables, mixed lists).
std::optional<config_value> to_value(const toml::node& node) {
  if (const auto* v = node.as_boolean()) return config_value{v->get()};
  if (const auto* v = node.as_integer()) return config_value{v->get()};
  if (const auto* v = node.as_string()) return config_value{v->get()};
  if (const auto* list = node.as_array()) {
    std::vector<std::string> texts;
    for (const auto& item : *list) {
      const auto* text = item.as_string();
      if (text == nullptr) return std::nullopt;
      texts.push_back(text->get());
    }
    return config_value{std::move(texts)};
  }
  return std::nullopt;
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string{} : path.substr(0, slash + 1);
}

result<std::string> read_whole(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr)
    return fail(errno == ENOENT ? errc::not_found : errc::config_invalid, path + ": " + std::strerror(errno));
  std::string text;
  char buffer[4096];
  std::size_t n = 0;
  while (text.size() <= file_bytes_max && (n = std::fread(buffer, 1, sizeof buffer, file)) != 0) text.append(buffer, n);
  const bool broken = std::ferror(file) != 0;
  std::fclose(file);
  if (broken) return fail(errc::config_invalid, path + ": cannot be read (is it a file?)");
  if (text.size() > file_bytes_max) return fail(errc::config_invalid, path + ": larger than 1 MiB");
  return text;
}

}  // namespace

// ---- declarations

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

// ---- reading

class config_reader {
public:
  config_reader(config_schema& schema, std::string file) : schema_(schema), file_(std::move(file)), folder_(folder_of(file_)) {}
  status read(std::string_view toml);

private:
  void problem(const toml::node* at, const std::string& key, const std::string& what);
  void read_keys(const config_table& declared, const toml::table& found, const std::string& prefix, const toml::node* at);
  void read_key(const config_key& key, const toml::node& node, const std::string& prefix);
  void read_array(config_schema::array_of_tables& declared, const toml::node* node);
  void refuse_unknown(const toml::table& root);
  void ask_whole_check();
  status verdict() const;

  config_schema& schema_;
  std::string file_;
  std::string folder_;
  struct finding {
    std::uint32_t line;   // 0: none
    std::size_t order;    // as found, among those of one line
    std::string text;
  };
  std::vector<finding> problems_;
  std::size_t more_ = 0;
};

void config_reader::problem(const toml::node* at, const std::string& key, const std::string& what) {
  if (problems_.size() >= problems_max) {
    ++more_;
    return;
  }
  const std::uint32_t line = at != nullptr ? at->source().begin.line : 0;
  std::string text = file_ + ":" + (line != 0 ? std::to_string(line) + ":" : "") + " " + key + ": " + what;
  problems_.push_back({line, problems_.size(), std::move(text)});
}

void config_reader::read_key(const config_key& key, const toml::node& node, const std::string& prefix) {
  auto value = to_value(node);
  // An empty list has no element that says of what it is one; it is a list of texts for us.
  if (!value || value->index() != key.kind_) return problem(&node, prefix + key.name_, "must be " + key.allowed_);
  if (key.check_) {
    if (const std::string allowed = key.check_(*value); !allowed.empty())
      return problem(&node, prefix + key.name_, "must be " + allowed);
  }
  if (key.is_path_) {
    auto& path = std::get<std::string>(*value);
    if (!path.empty() && path.front() != '/') path = folder_ + path;
  }
  if (!key.store_(*value)) problem(&node, prefix + key.name_, "must be " + key.allowed_);
}

void config_reader::read_keys(const config_table& declared, const toml::table& found, const std::string& prefix,
                              const toml::node* at) {
  for (const auto& key : declared.keys_) {
    if (const toml::node* node = found.get(key->name_)) {
      read_key(*key, *node, prefix);
    } else if (key->required_) {
      problem(at, prefix + key->name_, "is missing; must be " + key->allowed_);
    }
  }
  const bool top = declared.name_.empty() && at == nullptr;  // its unknown keys are found by refuse_unknown
  if (top) return;
  for (const auto& [name, node] : found) {
    const std::string_view text = name.str();
    const bool known = std::any_of(declared.keys_.begin(), declared.keys_.end(),
                                   [text](const auto& key) { return key->name_ == text; });
    if (!known) problem(&node, prefix + std::string(text), "unknown key");
  }
}

void config_reader::read_array(config_schema::array_of_tables& declared, const toml::node* node) {
  declared.clear();
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  const bool tables = list != nullptr && (list->empty() || list->is_homogeneous<toml::table>());
  if (!tables) return problem(node, declared.name, "must be written as [[" + declared.name + "]]");
  if (list->size() > declared.count_max)
    return problem(node, declared.name, "at most " + std::to_string(declared.count_max) + " of them");
  std::size_t number = 0;
  for (const auto& item : *list) {
    config_table keys;
    keys.name_ = declared.name;
    declared.declare(keys);
    read_keys(keys, *item.as_table(), declared.name + "[" + std::to_string(++number) + "].", &item);
    declared.take();
  }
}

void config_reader::refuse_unknown(const toml::table& root) {
  for (const auto& [name, node] : root) {
    const std::string text{name.str()};
    bool known = false;
    for (const auto& table : schema_.tables_) {
      known = known || table->name_ == text;
      if (!table->name_.empty()) continue;
      for (const auto& key : table->keys_) known = known || key->name_ == text;
    }
    for (const auto& array : schema_.arrays_) known = known || array.name == text;
    if (!known) problem(&node, text, node.is_table() ? "unknown table" : "unknown key");
  }
}

void config_reader::ask_whole_check() {
  if (!schema_.check_all_ || !problems_.empty()) return;
  std::vector<std::string> found;
  schema_.check_all_(found);
  for (const auto& text : found) problems_.push_back({0, problems_.size(), file_ + ": " + text});
}

status config_reader::verdict() const {
  if (problems_.empty()) return {};
  auto sorted = problems_;
  std::sort(sorted.begin(), sorted.end(),
            [](const finding& a, const finding& b) { return std::tie(a.line, a.order) < std::tie(b.line, b.order); });
  std::string detail;
  for (const auto& f : sorted) detail += (detail.empty() ? "" : "\n") + f.text;
  if (more_ != 0) detail += "\n" + file_ + ": and " + std::to_string(more_) + " more";
  return fail(errc::config_invalid, std::move(detail));
}

status config_reader::read(std::string_view text) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const auto& why = parsed.error();
    return fail(errc::config_invalid, file_ + ":" + std::to_string(why.source().begin.line) + ": not TOML: " +
                                          std::string(why.description()));
  }
  const toml::table& root = parsed.table();
  static const toml::table nothing;
  for (const auto& declared : schema_.tables_) {
    if (declared->name_.empty()) {
      read_keys(*declared, root, "", nullptr);
      continue;
    }
    const toml::node* node = root.get(declared->name_);
    if (node != nullptr && !node->is_table()) {
      problem(node, declared->name_, "must be a table: [" + declared->name_ + "]");
      continue;
    }
    read_keys(*declared, node != nullptr ? *node->as_table() : nothing, declared->name_ + ".", node);
  }
  for (auto& declared : schema_.arrays_) read_array(declared, root.get(declared.name));
  refuse_unknown(root);
  ask_whole_check();
  return verdict();
}

status config_schema::read_text(std::string_view toml, const std::string& name_for_errors) {
  return config_reader{*this, name_for_errors}.read(toml);
}

status config_schema::read_file(const std::string& path) {
  auto text = read_whole(path);
  if (!text) return std::unexpected(text.error());
  return read_text(*text, path);
}

// ---- the sample

class config_sample {
public:
  static std::string write(const config_schema& schema);

private:
  static void comment(std::string& out, std::string_view text);
  static void keys(std::string& out, const config_table& table, std::string_view mark);
};

void config_sample::comment(std::string& out, std::string_view text) {
  constexpr std::size_t width = 100;
  while (!text.empty()) {
    std::size_t end = std::min(text.find('\n'), text.size());
    if (end > width) {
      const auto blank = text.rfind(' ', width);
      end = blank == std::string_view::npos || blank == 0 ? end : blank;
    }
    out += "# ";
    out += text.substr(0, end);
    out += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void config_sample::keys(std::string& out, const config_table& table, std::string_view mark) {
  for (const auto& key : table.keys_) {
    out += '\n';
    comment(out, key->help_);
    comment(out, (key->required_ ? "Required: " : "Allowed: ") + key->allowed_ + "." +
                     (key->at_start_ ? " Changes at the next start only." : ""));
    const bool has_default = !key->default_toml_.empty();
    std::string value = has_default ? key->default_toml_ : key->example_;
    if (value.empty()) value = key->kind_ == kind_of<std::string> ? "\"\"" : key->kind_ == kind_of<std::vector<std::string>> ? "[]" : "0";
    // What has a default or is not needed is shown switched off; what must be there is shown switched on.
    out += mark.empty() && !key->required_ ? "#" : mark;
    out += key->name_ + " = " + value + "\n";
  }
}

std::string config_sample::write(const config_schema& schema) {
  std::string out;
  comment(out, schema.about_);
  for (const auto& table : schema.tables_) {
    out += '\n';
    comment(out, table->help_);
    if (!table->name_.empty()) out += "[" + table->name_ + "]\n";
    keys(out, *table, "");
  }
  for (const auto& array : schema.arrays_) {
    out += '\n';
    comment(out, array.help);
    out += "#[[" + array.name + "]]\n";
    config_table element;
    array.declare(element);
    keys(out, element, "#");
  }
  return out;
}

std::vector<config_schema::difference> config_schema::differences(const config_schema& other) const {
  std::vector<difference> out;
  for (std::size_t i = 0; i < std::min(tables_.size(), other.tables_.size()); ++i) {
    const auto& ours = tables_[i]->keys_;
    const auto& theirs = other.tables_[i]->keys_;
    const std::string prefix = tables_[i]->name_.empty() ? "" : tables_[i]->name_ + ".";
    for (std::size_t k = 0; k < std::min(ours.size(), theirs.size()); ++k)
      if (ours[k]->now_() != theirs[k]->now_()) out.push_back({prefix + ours[k]->name_, ours[k]->at_start_});
  }
  return out;
}

std::string config_schema::sample() const { return config_sample::write(*this); }

}  // namespace tomoshibi
