// Goal: text from outside becomes valid UTF-8 that stays in its line and in its direction.
#include "relay/core/plain_text.hpp"

#include "protocol/base/prng.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include <string>

using namespace tomoshibi;
using namespace tomoshibi::relay;
using namespace std::string_literals;

TEST_CASE("good text is left alone") {
  const std::string text = "山田花子さん宅 – Großmutter 👵🏽";
  CHECK(one_line(text) == text);
  CHECK(valid_utf8(text));
}

TEST_CASE("controls, separators and direction marks become blanks") {
  CHECK(one_line("a\r\nb\tc\0d"s) == "a  b c d");
  CHECK(one_line("a\u2028b\u2029c\u0085d") == "a b c d");
  CHECK(one_line("a\u202Eb\u2066c\u200Fd\uFEFFe") == "a b c d e");
  CHECK(one_line("\x7f") == " ");
}

TEST_CASE("text that nobody could see is blank, whatever it is made of") {
  for (const char* nothing : {"", " ", " \t\r\n", "\u3000", "\u00a0 \u2003", "\u200b\u2060", "\ufeff"}) CHECK(blank(nothing));
  CHECK(blank("\0"s));
  for (const char* text : {"a", " a ", "\u3000花\u3000", ".", "\xff", "👵"}) CHECK_FALSE(blank(text));
}

TEST_CASE("bad bytes become the replacement character") {
  CHECK(one_line("\xff") == "\uFFFD");
  CHECK(one_line("\xc0\x8a") == "\uFFFD\uFFFD");               // overlong line feed
  CHECK(one_line("\xed\xa0\x80") == "\uFFFD\uFFFD\uFFFD");     // surrogate
  CHECK(one_line("\xf4\x90\x80\x80") == "\uFFFD\uFFFD\uFFFD\uFFFD");
  CHECK(one_line("\xe3\x81") == "\uFFFD\uFFFD");               // cut off
}

TEST_CASE("lines keep their ends, made LF") {
  CHECK(plain_lines("a\r\nb\rc\nd\te") == "a\nb\nc\nd\te");
  CHECK(plain_lines("a\0b"s) == "a b");
}

TEST_CASE("random bytes always give valid text without line ends") {
  const auto seed = GENERATE(range(1u, 300u));
  CAPTURE(seed);
  prng random{seed};
  std::string text;
  for (std::uint64_t n = random.below(64); n > 0; --n) text += static_cast<char>(random.below(256));
  const auto shown = one_line(text);
  CHECK(valid_utf8(shown));
  for (char c : shown) CHECK((static_cast<unsigned char>(c) >= 0x20 && c != 0x7f));
  CHECK(one_line(shown) == shown);
}
