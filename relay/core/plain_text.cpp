#include "relay/core/plain_text.hpp"

#include <cstdint>

namespace tomoshibi::relay {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD

std::uint8_t byte_at(std::string_view text, std::size_t at) { return static_cast<std::uint8_t>(text[at]); }

// Controls (C0, DEL, C1), U+2028, U+2029 and the bidirectional controls of UAX #9.
bool unsafe(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x200e || c == 0x200f || c == 0x061c || c == 0xfeff ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

// White_Space of Unicode, and what takes no room.
bool invisible(char32_t c) {
  return c <= 0x20 || (c >= 0x7f && c <= 0xa0) || c == 0xad || c == 0x1680 || c == 0x180e || (c >= 0x2000 && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202f) || (c >= 0x205f && c <= 0x206f) || c == 0x3000 || c == 0xfeff;
}

std::string cleaned(std::string_view text, bool lines) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto step = utf8_at(text, at);
    const bool kept = lines && (step.code == '\n' || step.code == '\t');
    if (!step.valid) {
      out += replacement;
    } else if (unsafe(step.code) && !kept) {
      out += ' ';
    } else {
      out += text.substr(at, step.length);
    }
    at += step.length;
  }
  return out;
}

}  // namespace

utf8_step utf8_at(std::string_view text, std::size_t at) {
  const std::uint8_t first = byte_at(text, at);
  if (first < 0x80) return {first, 1, true};
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  static constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (first < 0xc2 || first > 0xf4 || length > text.size() - at) return {};
  char32_t code = first & (0x7f >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const std::uint8_t next = byte_at(text, at + i);
    if ((next & 0xc0) != 0x80) return {};
    code = code << 6 | (next & 0x3f);
  }
  if (code < smallest[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return {};
  return {code, length, true};
}

bool valid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto step = utf8_at(text, at);
    if (!step.valid) return false;
    at += step.length;
  }
  return true;
}

bool blank(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto step = utf8_at(text, at);
    if (!step.valid || !invisible(step.code)) return false;
    at += step.length;
  }
  return true;
}

std::string one_line(std::string_view text) { return cleaned(text, false); }

std::string plain_lines(std::string_view text) {
  std::string lf;
  lf.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      lf += text[i];
    } else if (i + 1 == text.size() || text[i + 1] != '\n') {
      lf += '\n';
    }
  }
  return cleaned(lf, true);
}

}  // namespace tomoshibi::relay
