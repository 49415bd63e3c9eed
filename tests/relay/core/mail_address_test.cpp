// Goal: an accepted address cannot break a header or an SMTP command; ordinary addresses are accepted; no address stays
// in a text that goes to the log.
#include "relay/core/mail_address.hpp"

#include "protocol/base/prng.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include <string>

using namespace tomoshibi;
using namespace tomoshibi::relay;

TEST_CASE("ordinary addresses are accepted") {
  const std::string address = GENERATE(as<std::string>{}, "hana@example.org", "h.yamada+watch@mail.example.co.jp",
                                       "a@b.cd", "o'neil@example.org", "x_y-z@xn--r8jz45g.xn--zckzah", "root@localhost",
                                       "1234567890@docomo.example");
  CAPTURE(address);
  CHECK(check_mail_address(address));
}

TEST_CASE("everything else is refused") {
  const std::string address = GENERATE(
      as<std::string>{}, "", "@", "hana", "@example.org", "hana@", "hana@@example.org", "hana@example", "ha na@example.org",
      ".hana@example.org", "hana.@example.org", "ha..na@example.org", "hana@-example.org", "hana@example-.org",
      "hana@example..org", "hana@example.org.", "hana@192.0.2.1", "hana@[192.0.2.1]", "\"ha na\"@example.org",
      "<hana@example.org>", "hana@example.org\r\nBcc: x@example.org", "hana@example.org\n", "花@example.org",
      "hana@例.jp", "hana@example.org,b@example.org", "hana(comment)@example.org", "a@b_c.org");
  CAPTURE(address);
  const auto checked = check_mail_address(address);
  REQUIRE_FALSE(checked);
  CHECK(checked.error().code == errc::malformed);
  CHECK_FALSE(checked.error().detail.empty());
}

TEST_CASE("lengths: 64 before the @, 63 a label, 254 in all") {
  const std::string a64(64, 'a');
  const std::string l63(63, 'b');
  CHECK(check_mail_address(a64 + "@example.org"));
  CHECK_FALSE(check_mail_address(a64 + "a@example.org"));
  CHECK(check_mail_address("a@" + l63 + ".org"));
  CHECK_FALSE(check_mail_address("a@" + l63 + "b.org"));
  const std::string longest = a64 + "@" + l63 + "." + l63 + "." + std::string(61, 'c');
  REQUIRE(longest.size() == 254);
  CHECK(check_mail_address(longest));
  CHECK_FALSE(check_mail_address(longest + "c"));
}

TEST_CASE("no byte outside the allowed set gets through") {
  for (int c = 0; c < 256; ++c) {
    CAPTURE(c);
    const bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                         std::string_view{"!#$%&'*+-/=?^_`{|}~."}.find(static_cast<char>(c)) != std::string_view::npos;
    const std::string address = std::string{"a"} + static_cast<char>(c) + "b@example.org";
    CHECK(check_mail_address(address).has_value() == allowed);
  }
}

TEST_CASE("server replies lose their addresses and stay one line") {
  CHECK(without_addresses("550 5.1.1 <hana@example.org>: no such user", 200) == "550 5.1.1 <*@*>: no such user");
  CHECK(without_addresses("hana@example.org", 200) == "*@*");
  CHECK(without_addresses("to \"hana@example.org\",b@c", 200) == "to \"*@*\",*@*");
  CHECK(without_addresses("a\r\nb\x01", 200) == "a  b ");
  CHECK(without_addresses("あいう", 7) == "あい");
}

TEST_CASE("whatever the reply, no part with an @ beside other characters survives") {
  const auto seed = GENERATE(range(1u, 200u));
  CAPTURE(seed);
  prng random{seed};
  std::string reply;
  static constexpr std::string_view alphabet = "ab@<>., \r\n\t\"=";
  for (std::uint64_t n = random.below(60); n > 0; --n) reply += alphabet[random.below(alphabet.size())];
  std::string shown = without_addresses(reply, 500);
  for (std::size_t at; (at = shown.find("*@*")) != std::string::npos;) shown.erase(at, 3);
  CHECK(shown.find('@') == std::string::npos);
}
