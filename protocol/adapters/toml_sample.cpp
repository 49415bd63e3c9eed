// The documented sample: a whole file, made of the declared keys.
#include "protocol/adapters/toml_kind.hpp"

#include <algorithm>

namespace tomoshibi {

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

std::string config_schema::sample() const { return config_sample::write(*this); }

}  // namespace tomoshibi
