// Goal: a built mail has exactly our headers, each decodes to what was meant, and nothing from outside can add one.
#include "relay/core/mime.hpp"

#include "protocol/base/prng.hpp"
#include "relay/core/plain_text.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include <array>
#include <string>
#include <vector>

using namespace tomoshibi;
using namespace tomoshibi::relay;
using namespace std::string_literals;

namespace {

mail_content usual() {
  return {.from_address = "watch@relay.example.org",
          .from_name = "ともしび",
          .to_address = "taro@example.org",
          .to_name = "山田 太郎",
          .subject = "【ともしび】山田様宅:「テレビ」が3日間使われていません",
          .body = "山田 太郎 様\n\nテレビが使われていません。\n",
          .message_id = "e.12.1@relay.example.org",
          .language = "ja",
          .date = wall_from_ms(1'770'091'506'000)};
}

std::string unbase64(std::string_view text) {
  std::string out;
  std::uint32_t group = 0;
  int bits = 0;
  static constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (char c : text) {
    if (c == '=' || c == '\r' || c == '\n') continue;
    const auto value = digits.find(c);
    REQUIRE(value != std::string_view::npos);
    group = group << 6 | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits >= 8) out += static_cast<char>(group >> (bits -= 8) & 0xff);
  }
  return out;
}

// Encoded-words of one unfolded value to UTF-8; white space between neighbours does not count (RFC 2047 6.2).
std::string decoded(std::string value) {
  std::string out;
  for (std::size_t at = 0; at < value.size();) {
    if (value.compare(at, 10, "=?UTF-8?B?") != 0) {
      out += value[at++];
      continue;
    }
    const auto end = value.find("?=", at + 10);
    REQUIRE(end != std::string::npos);
    REQUIRE(end + 2 - at <= 75);
    const auto word = unbase64(value.substr(at + 10, end - at - 10));
    REQUIRE(valid_utf8(word));  // RFC 2047 5: no character is split
    out += word;
    at = end + 2;
    if (value.compare(at, 11, " =?UTF-8?B?") == 0) ++at;
  }
  return out;
}

struct read_mail {
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string of(const std::string& name) const {
    for (const auto& [n, v] : headers) {
      if (n == name) return v;
    }
    return "(none)";
  }
};

read_mail read(const std::string& mail) {
  read_mail out;
  std::size_t at = 0;
  for (;;) {
    const auto end = mail.find("\r\n", at);
    REQUIRE(end != std::string::npos);
    auto line = mail.substr(at, end - at);
    at = end + 2;
    if (line.empty()) break;
    REQUIRE(line.size() <= 998);
    if (line[0] == ' ') {
      REQUIRE_FALSE(out.headers.empty());
      out.headers.back().second += line;
      continue;
    }
    const auto colon = line.find(": ");
    REQUIRE(colon != std::string::npos);
    out.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
  }
  for (char c : mail.substr(0, at)) REQUIRE(((c >= 0x20 && c < 0x7f) || c == '\r' || c == '\n'));
  out.body = mail.substr(at);
  return out;
}

std::string body_text(const read_mail& mail) {
  if (mail.of("Content-Transfer-Encoding") == "7bit") return mail.body;
  REQUIRE(mail.of("Content-Transfer-Encoding") == "base64");
  return unbase64(mail.body);
}

const std::vector<std::string> header_names{"Date",         "From",         "To",
                                            "Message-ID",   "Subject",      "MIME-Version",
                                            "Content-Type", "Content-Language", "Auto-Submitted",
                                            "Content-Transfer-Encoding"};

void check_names(const read_mail& mail) {
  REQUIRE(mail.headers.size() == header_names.size());
  for (std::size_t i = 0; i < header_names.size(); ++i) CHECK(mail.headers[i].first == header_names[i]);
}

}  // namespace

TEST_CASE("a Japanese mail decodes to what was written") {
  const auto built = build_mail(usual());
  REQUIRE(built);
  const auto mail = read(*built);
  check_names(mail);
  CHECK(decoded(mail.of("Subject")) == usual().subject);
  CHECK(decoded(mail.of("From")) == "ともしび <watch@relay.example.org>");
  CHECK(decoded(mail.of("To")) == "山田 太郎 <taro@example.org>");
  CHECK(mail.of("Message-ID") == "<e.12.1@relay.example.org>");
  CHECK(mail.of("Date") == "Tue, 03 Feb 2026 04:05:06 +0000");
  CHECK(mail.of("Auto-Submitted") == "auto-generated");
  CHECK(mail.of("Content-Type") == "text/plain; charset=utf-8");
  CHECK(body_text(mail) == "山田 太郎 様\r\n\r\nテレビが使われていません。\r\n");
}

TEST_CASE("plain ASCII stays readable") {
  auto content = usual();
  content.subject = "[Tomoshibi] Test message";
  content.to_name = "Taro \"T\" Yamada";
  content.body = "One\n.\nTwo";
  const auto mail = read(build_mail(content).value());
  CHECK(mail.of("Subject") == "[Tomoshibi] Test message");
  CHECK(mail.of("To") == "\"Taro \\\"T\\\" Yamada\" <taro@example.org>");
  CHECK(mail.of("Content-Transfer-Encoding") == "7bit");
  CHECK(mail.body == "One\r\n.\r\nTwo\r\n");
}

TEST_CASE("what looks like an encoded-word is encoded") {
  auto content = usual();
  content.subject = "=?UTF-8?B?QQ==?=";
  const auto mail = read(build_mail(content).value());
  CHECK(mail.of("Subject") != content.subject);
  CHECK(decoded(mail.of("Subject")) == content.subject);
}

TEST_CASE("no line of header or body is over 78 bytes") {
  auto content = usual();
  for (std::size_t n = 0; n < 130; ++n) {
    CAPTURE(n);
    content.subject.clear();
    for (std::size_t i = 0; i < n; ++i) content.subject += i % 3 == 0 ? "👵" : i % 3 == 1 ? "あ" : "x";
    content.body = content.subject + "\n" + content.subject;
    const auto built = build_mail(content).value();
    std::size_t start = 0;
    for (std::size_t end; (end = built.find("\r\n", start)) != std::string::npos; start = end + 2) {
      CHECK(end - start <= 78);
    }
    CHECK(decoded(read(built).of("Subject")) == (content.subject.size() > subject_bytes_max
                                                     ? decoded(read(built).of("Subject"))
                                                     : content.subject));
  }
}

TEST_CASE("too long a subject ends in an ellipsis, between characters") {
  auto content = usual();
  content.subject.clear();
  for (int i = 0; i < 500; ++i) content.subject += "灯";
  const auto subject = decoded(read(build_mail(content).value()).of("Subject"));
  CHECK(subject.size() <= subject_bytes_max);
  CHECK(subject.size() > subject_bytes_max - 6);
  CHECK(valid_utf8(subject));
  CHECK(subject.ends_with("灯…"));
}

TEST_CASE("addresses and ids that could break a header are refused") {
  auto content = usual();
  SECTION("recipient") { content.to_address = "taro@example.org\r\nBcc: x@example.org"; }
  SECTION("sender") { content.from_address = "watch"; }
  SECTION("message id with a line end") { content.message_id = "a@b\r\nX: y"; }
  SECTION("message id with a bracket") { content.message_id = "a@b>"; }
  SECTION("message id without @") { content.message_id = "ab"; }
  SECTION("message id too long") { content.message_id = std::string(200, 'a') + "@b"; }
  SECTION("language") { content.language = "ja\r\nX: y"; }
  const auto built = build_mail(content);
  REQUIRE_FALSE(built);
  CHECK(built.error().code == errc::malformed);
}

TEST_CASE("a body over its limit is refused") {
  auto content = usual();
  content.body.assign(mail_body_bytes_max, 'x');
  CHECK(build_mail(content));
  content.body += 'x';
  const auto built = build_mail(content);
  REQUIRE_FALSE(built);
  CHECK(built.error().code == errc::too_long);
}

TEST_CASE("no name, subject or body can add a header") {
  const auto seed = GENERATE(range(1u, 400u));
  CAPTURE(seed);
  prng random{seed};
  static const std::array<std::string, 14> parts{"\r\n",      "\n",  "\r", "\0"s,        "\r\nBcc: x@example.org", "あ", "👵🏽",
                                                 "\u202e\u2067", "\xff", "\"", "=?UTF-8?Q?a?=", "\r\n\r\n", "<a@b>", "\u2028"};
  const auto noise = [&random] {
    std::string out;
    for (auto n = random.below(30); n > 0; --n) out += parts[random.below(parts.size())];
    if (random.chance(50)) out += std::string(3000, 'w');
    return out;
  };
  auto content = usual();
  content.subject = noise();
  content.to_name = noise();
  content.from_name = noise();
  content.body = noise();
  const auto built = build_mail(content);
  REQUIRE(built);
  const auto mail = read(*built);
  check_names(mail);
  const auto subject = decoded(mail.of("Subject"));
  CHECK(one_line(content.subject).starts_with(subject.ends_with("…") ? subject.substr(0, subject.size() - 3) : subject));
  CHECK(mail.of("To").ends_with("taro@example.org" + ""s + (content.to_name.empty() ? "" : ">")));
  std::string text = plain_lines(content.body);
  if (!text.ends_with('\n')) text += '\n';
  std::string got;
  for (char c : body_text(mail)) {
    if (c != '\r') got += c;
  }
  CHECK(got == text);
}

TEST_CASE("dates are those of RFC 5322") {
  CHECK(rfc5322_date(wall_from_ms(0)) == "Thu, 01 Jan 1970 00:00:00 +0000");
  CHECK(rfc5322_date(wall_from_ms(1'709'208'059'999)) == "Thu, 29 Feb 2024 12:00:59 +0000");
}
