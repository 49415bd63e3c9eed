// Text from anywhere, made safe: three readers of UTF-8 (the wire's, the relay's, and a plain one of RFC 3629 here) agree on
// every byte; what is shown is valid and has no control character; JSON, base64 and encoded-words read back to the same.
#include "protocol/base/check.hpp"
#include "protocol/wire/text.hpp"
#include "relay/core/base64.hpp"
#include "relay/core/mime.hpp"
#include "relay/core/plain_text.hpp"
#include "relay/ctl/json_text.hpp"
#include "tests/fuzz/input.hpp"

#include <nlohmann/json.hpp>

using namespace tomoshibi;
using namespace tomoshibi::relay;

namespace {

// Length of the character at the beginning, 0 if there is none: by computing the code point and asking whether its
// shortest form has this length.
std::size_t plain_character(std::string_view text) {
  const auto at = [text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::size_t size = at(0) < 0x80 ? 1 : at(0) < 0xc0 ? 0 : at(0) < 0xe0 ? 2 : at(0) < 0xf0 ? 3 : at(0) < 0xf8 ? 4 : 0;
  if (size == 0 || text.size() < size) return 0;
  char32_t code = size == 1 ? at(0) : at(0) & (0xffu >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if (at(i) >> 6 != 2) return 0;
    code = code << 6 | (at(i) & 0x3fu);
  }
  const std::size_t shortest = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  return shortest != size || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? 0 : size;
}

void check_utf8(std::string_view text) {
  bool valid = true;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t plain = plain_character(text.substr(at));
    const auto step = utf8_at(text, at);
    TOMO_REQUIRE(step.valid == (plain != 0) && step.length >= 1 && at + step.length <= text.size());
    TOMO_REQUIRE(plain == 0 || step.length == plain);
    TOMO_REQUIRE(wire::character_size(text.substr(at)) == (text[at] == '\0' ? 0 : plain));
    valid = valid && plain != 0;
    at += step.length;
  }
  TOMO_REQUIRE(valid_utf8(text) == valid);
}

void check_shown(std::string_view text) {
  const std::string line = one_line(text);
  TOMO_REQUIRE(valid_utf8(line) && one_line(line) == line);
  for (const char c : line) TOMO_REQUIRE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  const std::string lines = plain_lines(text);
  TOMO_REQUIRE(valid_utf8(lines) && plain_lines(lines) == lines);
  for (const char c : lines) TOMO_REQUIRE(static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t');
}

void check_copied(std::string_view text) {
  char field[21];
  wire::copy_text(text, field, sizeof field);
  const std::string_view got = field;
  TOMO_REQUIRE(got.size() < sizeof field && valid_utf8(got));
  if (valid_utf8(text) && text.find('\0') == std::string_view::npos) TOMO_REQUIRE(text.starts_with(got));
}

void check_json(std::string_view text) {
  const auto parsed = nlohmann::json::parse(ctl::json_string(text), nullptr, false);
  TOMO_REQUIRE(parsed.is_string());
  if (valid_utf8(text)) TOMO_REQUIRE(parsed.get<std::string>() == text);
}

std::optional<bytes> plain_base64(std::string_view text) {
  static constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.size() % 4 != 0) return std::nullopt;
  bytes out;
  for (std::size_t at = 0; at < text.size(); at += 4) {
    std::uint32_t group = 0;
    std::size_t padding = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const auto letter = letters.find(text[at + i]);
      if (text[at + i] == '=') ++padding;
      else if (letter == std::string_view::npos || padding > 0) return std::nullopt;
      group = group << 6 | (text[at + i] == '=' ? 0 : static_cast<std::uint32_t>(letter));
    }
    if (padding > 2 || (padding > 0 && at + 4 != text.size())) return std::nullopt;
    for (std::size_t i = 0; i < 3 - padding; ++i) out.push_back(static_cast<std::uint8_t>(group >> (16 - 8 * i)));
  }
  return out;
}

// Encoded-words of RFC 2047, base64, joined; blanks between them do not count.
std::optional<std::string> plain_words(std::string_view header) {
  std::string out;
  while (!header.empty()) {
    const auto begin = header.find("=?UTF-8?B?");
    if (begin == std::string_view::npos) return std::nullopt;
    for (const char c : header.substr(0, begin)) if (c != ' ' && c != '\r' && c != '\n') return std::nullopt;
    header.remove_prefix(begin + 10);
    const auto end = header.find("?=");
    if (end == std::string_view::npos || end + 12 > 75) return std::nullopt;
    const auto part = plain_base64(header.substr(0, end));
    if (!part || !valid_utf8(as_text(*part))) return std::nullopt;  // a character must not be cut in two
    out += as_text(*part);
    header.remove_prefix(end + 2);
  }
  return out;
}

void check_mail_words(std::string_view text) {
  const std::string line = one_line(text);
  const std::string words = encoded_header_text(line, 9);
  std::size_t used = 9;
  for (const char c : words) {
    TOMO_REQUIRE((c >= 0x20 && c < 0x7f) || c == '\r' || c == '\n');
    used = c == '\n' ? 0 : used + 1;
    TOMO_REQUIRE(used <= 79);
  }
  const auto back = plain_words(words);
  TOMO_REQUIRE(back.has_value() && *back == line);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const byte_view all{data, size};
  const std::string_view text = as_text(all);
  check_utf8(text);
  check_shown(text);
  check_copied(text);
  check_json(text);
  const auto back = plain_base64(base64(all));
  TOMO_REQUIRE(back.has_value() && std::ranges::equal(*back, all));
  if (size <= 400) check_mail_words(text);
  return 0;
}
