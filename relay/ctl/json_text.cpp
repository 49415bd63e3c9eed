#include "relay/ctl/json_text.hpp"

#include "relay/core/plain_text.hpp"

namespace tomoshibi::ctl {
namespace {

void append_escaped(std::string& out, unsigned char c) {
  static constexpr char digits[] = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    default: out += "\\u00"; out += digits[c >> 4]; out += digits[c & 15];
  }
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const auto step = relay::utf8_at(text, i);
    const auto c = static_cast<unsigned char>(text[i]);
    if (!step.valid) out += "\xef\xbf\xbd";
    else if (c < 0x20 || c == 0x7f || c == '"' || c == '\\') append_escaped(out, c);
    else out += text.substr(i, step.length);
    i += step.length;
  }
  return out += '"';
}

}  // namespace tomoshibi::ctl
