#include "protocol/base/log.hpp"

namespace tomoshibi {
namespace {

class discard final : public log_sink {
  void write(log_level, std::string_view, std::string_view, std::span<const log_field>) override {}
};

bool plain(unsigned char c) { return c > 0x20 && c != 0x7f && c != '"' && c != '=' && c != '\\'; }

void append_escaped(std::string& out, unsigned char c) {
  static constexpr char hex[] = "0123456789abcdef";
  if (c == '"' || c == '\\') {
    out += '\\';
    out += static_cast<char>(c);
  } else if (c < 0x20 || c == 0x7f) {
    out += "\\x";
    out += hex[c >> 4];
    out += hex[c & 15];
  } else {
    out += static_cast<char>(c);
  }
}

void append_value(std::string& out, std::string_view value) {
  bool quote = value.empty();
  for (char c : value) quote = quote || !plain(static_cast<unsigned char>(c));
  if (!quote) {
    out += value;
    return;
  }
  out += '"';
  for (char c : value) append_escaped(out, static_cast<unsigned char>(c));
  out += '"';
}

}  // namespace

std::string_view name_of(log_level level) {
  switch (level) {
    case log_level::error: return "error";
    case log_level::warning: return "warn";
    case log_level::info: return "info";
    case log_level::debug: return "debug";
  }
  return "unlisted";
}

log_sink& null_log() {
  static discard sink;
  return sink;
}

std::string format_log_line(log_level level, std::string_view module, std::string_view event,
                            std::span<const log_field> fields) {
  std::string line = "lvl=";
  line += name_of(level);
  line += " mod=";
  append_value(line, module);
  line += " evt=";
  append_value(line, event);
  for (const auto& f : fields) {
    line += ' ';
    line += f.key;
    line += '=';
    append_value(line, f.value);
  }
  return line;
}

}  // namespace tomoshibi
