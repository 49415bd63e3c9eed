// Goal: the [guard] table is read as documented; what is unsafe or does not fit together is refused with where and what is
// allowed.
#include "protocol/adapters/guard_config.hpp"
#include "protocol/adapters/pki.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/test_pki.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <sys/stat.h>

using namespace tomoshibi;

namespace {

status read(const std::string& toml, guard_config& into) {
  config_schema schema("A test.");
  declare_guard(schema.table("guard", "The guard centre."), into);
  schema.check_all([&into](std::vector<std::string>& problems) { check_guard(into, "guard", problems); });
  return schema.read_text("[guard]\n" + toml, "test.toml");
}

std::string refusal(const std::string& toml) {
  guard_config c;
  const status done = read(toml, c);
  return done ? "" : done.error().detail;
}

}  // namespace

TEST_CASE("receivers are read in both forms") {
  CHECK(parse_guard_receiver("tls://centre.example.net:10443") == guard_receiver{true, "centre.example.net", 10443});
  CHECK(parse_guard_receiver("tcp://127.0.0.1:1") == guard_receiver{false, "127.0.0.1", 1});
  CHECK(parse_guard_receiver("tls://[2001:db8::7]:65535") == guard_receiver{true, "2001:db8::7", 65535});
  for (const char* bad : {"", "tls://", "centre:1", "udp://centre:1", "tls://centre", "tls://centre:0", "tls://centre:65536", "tls://:1",
                          "tls://2001:db8::7:1", "tls://a b:1", "tls://a@b:1", "tls://a/b:1", "tls://a:1x", "TLS://a:1", "tls://[]:1"}) {
    INFO(bad);
    CHECK_FALSE(parse_guard_receiver(bad));
  }
}

TEST_CASE("TCP leaves this machine only when that is said") {
  CHECK(refusal("receivers = [\"tcp://127.0.0.1:1\", \"tcp://localhost:2\", \"tcp://[::1]:3\"]").empty());
  CHECK(refusal("receivers = [\"tcp://192.0.2.1:1\"]").find("guard.receivers: tcp:// only to this machine") != std::string::npos);
  CHECK(refusal("receivers = [\"tcp://127.0.0.1.example.net:1\"]").find("guard.receivers") != std::string::npos);
  CHECK(refusal("receivers = [\"tcp://192.0.2.1:1\"]\nplain = true").empty());
}

TEST_CASE("what does not fit together is refused, with the key") {
  CHECK(refusal("receivers = [\"tls://a:1\"]").find("guard.ca: needed") != std::string::npos);
  CHECK(refusal("receivers = [\"a:1\"]").find("tls://host:port") != std::string::npos);
  CHECK(refusal("receivers = [\"tls://a:1\"]\nca = \"ca\"\nkey = \"key\"").find("both or none") != std::string::npos);
  CHECK(refusal("receiver = \"G\"").find("hexadecimal") != std::string::npos);
  CHECK(refusal("format = \"sia\"").find("sia-dcs") != std::string::npos);
  CHECK(refusal("receivers = [\"tls://a:1\",\"tls://a:2\",\"tls://a:3\",\"tls://a:4\",\"tls://a:5\"]\nca = \"x\"").find("receivers") !=
        std::string::npos);
  CHECK(refusal("").empty());
}

TEST_CASE("settings take over what was read; TLS needs its files") {
  const testing::temporary_folder folder;
  const testing::test_pki pki;
  REQUIRE(write_public_file(folder.file("ca.pem"), pki.gateway().ca_pem));
  guard_config c;
  REQUIRE(read("receivers = [\"tls://centre:1\", \"tcp://127.0.0.1:2\"]\nca = \"" + folder.file("ca.pem") +
                   "\"\nformat = \"sia-dcs\"\nline = \"A1\"\nextensions = false\nnull_interval_s = 7",
               c));
  auto s = read_guard_settings(c, {});
  REQUIRE(s);
  CHECK(s->tls != nullptr);                 // without a certificate of our own: not every centre wants one
  REQUIRE(s->receivers.size() == 2);
  CHECK((s->receivers[0].secure && !s->receivers[1].secure));
  REQUIRE(s->sender.receivers.size() == 2);
  CHECK(s->sender.receivers[1].format == dc09::token::sia_dcs);
  CHECK(s->sender.receivers[1].line == "A1");
  CHECK_FALSE(s->sender.receivers[1].extensions);
  CHECK(s->sender.null_interval == 7s);
  CHECK_FALSE(on_this_machine(c));

  c.ca = folder.file("none.pem");
  CHECK_FALSE(read_guard_settings(c, {}));
  c.receivers = {"tcp://127.0.0.1:2"};
  s = read_guard_settings(c, {});
  REQUIRE(s);
  CHECK(s->tls == nullptr);
  CHECK(on_this_machine(c));
  c.receivers.clear();
  CHECK_FALSE(read_guard_settings(c, {}));
  CHECK(on_this_machine(c));
}

TEST_CASE("a file that cannot be used is told with its key, its name and what is wanted") {
  using Catch::Matchers::StartsWith;
  const testing::temporary_folder folder;
  const testing::test_pki pki;
  const tls_identity own = pki.gateway();
  const std::string good_ca = folder.file("ca.pem"), none = folder.file("none"), text = folder.file("text");
  REQUIRE(write_public_file(good_ca, own.ca_pem));
  REQUIRE(write_public_file(folder.file("own.pem"), own.certificate_pem));
  REQUIRE(write_secret_file(folder.file("own.key"), own.key_pem));
  REQUIRE(write_secret_file(folder.file("other.key"), pki.gateway().key_pem));
  REQUIRE(write_secret_file(text, "not PEM\n"));
  guard_config c;
  const auto told = [&c] {
    const auto s = read_guard_settings(c, {});
    if (s) return std::string{};
    CHECK(s.error().code == errc::config_invalid);
    return s.error().detail;
  };
  c.receivers = {"tls://centre:1"};
  c.ca = none;
  CHECK(told() == "guard.ca: " + none + ": No such file or directory");
  c.ca = text;
  CHECK_THAT(told(), StartsWith("guard.ca: " + text + ": must be a certificate (PEM)"));
  c.ca = good_ca;
  CHECK(told().empty());
  c.certificate = none;
  c.key = folder.file("own.key");
  CHECK_THAT(told(), StartsWith("guard.certificate: " + none + ": "));
  c.certificate = folder.file("own.pem");
  CHECK(told().empty());
  c.key = folder.file("other.key");
  CHECK_THAT(told(), StartsWith("guard.key: " + c.key + ": must be the private key of the certificate " + c.certificate));
  c.key = folder.file("own.key");
  REQUIRE(::chmod(c.key.c_str(), 0644) == 0);
  CHECK_THAT(told(), StartsWith("guard.key: " + c.key + ": a private key with mode 0644"));
}

TEST_CASE("an account's number and its key") {
  for (const char* good : {"123", "ABCDEF0123456789", "00a1"}) CHECK(check_guard_account(good).empty());
  for (const char* bad : {"", "12", "12345678901234567", "12G4", " 1234"}) CHECK_FALSE(check_guard_account(bad).empty());
  CHECK(written_guard_account("00a1F") == "00A1F");
  const testing::temporary_folder folder;
  const std::string path = folder.file("key");
  for (const std::size_t digits : {32u, 48u, 64u}) {
    REQUIRE(write_secret_file(path, std::string(digits, 'a') + "\n"));
    CHECK(read_guard_key("guard.account_key", path).value() == bytes(digits / 2, 0xaa));
    REQUIRE(::unlink(path.c_str()) == 0);
  }
  for (const std::string& bad : {std::string(), std::string(30, '1'), std::string(31, '1') + "x", std::string(300, '1')}) {
    REQUIRE(write_secret_file(path, bad));
    const auto key = read_guard_key("guard.account_key", path);
    REQUIRE_FALSE(key);
    CHECK(key.error().detail.starts_with("guard.account_key: " + path + ": must hold 32, 48 or 64 hexadecimal digits"));
    REQUIRE(::unlink(path.c_str()) == 0);
  }
  REQUIRE(write_secret_file(path, std::string(32, '1')));
  REQUIRE(::chmod(path.c_str(), 0644) == 0);
  CHECK(read_guard_key("guard.account_key", path).error().detail.find("0640") != std::string::npos);
  CHECK(read_guard_key("guard.account_key", folder.file("none")).error().detail ==
        "guard.account_key: " + folder.file("none") + ": No such file or directory");
  CHECK(read_guard_key("guard.account_key", folder.path()).error().detail.ends_with(": Is a directory"));
}
