// Goal: a configuration is taken only if the relay can run on it safely; errors name file, line and what is allowed.
#include "relay/shell/config_file.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>

using namespace tomoshibi;
using namespace tomoshibi::relay;

namespace {

status read(const std::string& toml, relay_config& into) {
  auto schema = relay_schema(into);
  return schema.read_text(toml, "relay.toml");
}
std::string refusal(const std::string& toml) {
  relay_config config;
  const auto done = read(toml, config);
  if (done) return "(taken)";
  CHECK(done.error().code == errc::config_invalid);
  return done.error().detail;
}

}  // namespace

TEST_CASE("an empty file is a configuration") {
  relay_config config;
  REQUIRE(read("", config));
  CHECK(config.device.port == 8443);
  CHECK(config.pages.listen == "127.0.0.1");
  CHECK(config.mail.security == mail_security::starttls);
}

TEST_CASE("the printed sample is a configuration with the defaults") {
  relay_config first;
  const auto sample = relay_schema(first).sample();
  relay_config second;
  const auto done = read(sample, second);
  INFO((done ? "" : done.error().detail));
  REQUIRE(done);
  CHECK(second.device.port == first.device.port);
  CHECK(second.mail.from_name == first.mail.from_name);
  CHECK(second.mail.server.empty());
}

TEST_CASE("values arrive") {
  relay_config config;
  REQUIRE(read("[device]\nlisten = \"::\"\nport = 443\n[mail]\nserver = \"mail.example.org\"\nsecurity = \"tls\"\nport = 465\n"
               "user = \"u\"\npassword_file = \"/etc/secret\"\nfrom = \"watch@example.org\"\n[log]\nlevel = \"debug\"\n",
               config));
  CHECK(config.device.listen == "::");
  CHECK(config.mail.security == mail_security::tls);
  CHECK(config.mail.password_file == "/etc/secret");
  CHECK(config.log == log_level::debug);
}

TEST_CASE("what is wrong is told with its place") {
  CHECK(refusal("[device]\nport = 70000\n").find("relay.toml:2") != std::string::npos);
  CHECK(refusal("[device]\nprot = 1\n").find("prot") != std::string::npos);
  CHECK(refusal("[device]\nlisten = \"example.org\"\n").find("numeric") != std::string::npos);
  CHECK(refusal("[mail]\nfrom = \"nobody\"\n").find("name@domain") != std::string::npos);
  CHECK(refusal("[mail]\nsecurity = \"ssl\"\n").find("starttls") != std::string::npos);
}

TEST_CASE("mail in the clear is refused off loopback, and a user without a password file") {
  CHECK(refusal("[mail]\nserver = \"mail.example.org\"\nsecurity = \"none\"\n").find("loopback") != std::string::npos);
  CHECK(refusal("[mail]\nserver = \"127.0.0.1\"\nsecurity = \"none\"\n") == "(taken)");
  CHECK(refusal("[mail]\nuser = \"u\"\n").find("password_file") != std::string::npos);
}

TEST_CASE("a guard centre in plain text is refused off loopback, and TLS without a CA; accounts are hexadecimal") {
  CHECK(refusal("[guard]\nreceivers = [\"tcp://192.0.2.1:12000\"]\n").find("plain") != std::string::npos);
  CHECK(refusal("[guard]\nreceivers = [\"tls://centre.example.net:10443\"]\n").find("guard.ca") != std::string::npos);
  CHECK(refusal("[guard]\nreceivers = [\"centre.example.net\"]\n").find("tls://host:port") != std::string::npos);
  CHECK(refusal("[guard]\nline_account = \"12\"\n").find("3 to 16") != std::string::npos);
  CHECK(refusal("[guard]\nreceivers = [\"tcp://127.0.0.1:12000\"]\nline_account = \"0a12\"\n") == "(taken)");
}

TEST_CASE("the line's account is written as those of the homes are") {
  relay_config config;
  REQUIRE(read("[guard]\nline_account = \"0a1f\"\n", config));
  CHECK(config.emergency.line_account == "0A1F");
}

TEST_CASE("one port for two listeners is refused with both keys, where one of the addresses covers the other") {
  const auto ports = [](const std::string& device, const std::string& emergency, const std::string& pages, int port) {
    const std::string at = "\"\nport = " + std::to_string(port) + "\n";
    return refusal("[device]\nlisten = \"" + device + at +
                   "[emergency]\nlisten = \"" + emergency + at + "[pages]\nlisten = \"" + pages + at);
  };
  const auto all = ports("127.0.0.1", "127.0.0.1", "127.0.0.1", 9000);
  for (const char* said : {"emergency.port: 9000 at 127.0.0.1 is taken by device.port",
                           "pages.port: 9000 at 127.0.0.1 is taken by device.port",
                           "pages.port: 9000 at 127.0.0.1 is taken by emergency.port"}) {
    CAPTURE(said);
    CHECK(all.find(said) != std::string::npos);
  }
  CHECK(ports("127.0.0.1", "127.0.0.1", "127.0.0.1", 0) == "(taken)");
  CHECK(ports("127.0.0.1", "127.0.0.2", "::1", 9000) == "(taken)");
  CHECK(ports("0.0.0.0", "::1", "2001:db8::1", 9000) == "(taken)");
  for (const auto& [one, other] : {std::pair{"0.0.0.0", "127.0.0.1"}, {"127.0.0.1", "0.0.0.0"}, {"::", "127.0.0.1"}, {"::1", "::"},
                                   {"::1", "0:0:0:0:0:0:0:1"}, {"::ffff:127.0.0.1", "127.0.0.1"}, {"::", "0.0.0.0"}}) {
    CAPTURE(one, other);
    CHECK(ports(one, other, "192.0.2.1", 9000).find("emergency.port: 9000") != std::string::npos);
  }
  CHECK(refusal("[emergency]\nport = 8443\n").find("emergency.port: 8443") != std::string::npos);
  CHECK(refusal("[emergency]\nport = 8443\nenabled = false\n") == "(taken)");
  CHECK(refusal("[device]\nport = 9464\n[pages]\nenabled = false\n") == "(taken)");
}

TEST_CASE("what counts as loopback") {
  for (const char* yes : {"localhost", "127.0.0.1", "127.9.9.9", "::1"}) CHECK(loopback_address(yes));
  for (const char* no : {"", "0.0.0.0", "::", "10.0.0.1", "127.evil.example.org", "127.0.0.1.example.org", "1127.0.0.1"}) {
    CAPTURE(no);
    CHECK_FALSE(loopback_address(no));
  }
}

TEST_CASE("a replay clock is refused unless everything is on loopback") {
  relay_config config;
  config.device.listen = config.emergency.listen = "127.0.0.1";
  config.guard.receivers = {"tls://localhost:10443", "tcp://[::1]:12000"};
  CHECK(replay_refusal(config).empty());
  SECTION("device") { config.device.listen = "0.0.0.0"; }
  SECTION("mail") { config.mail.server = "mail.example.org"; }
  SECTION("emergency") { config.emergency.listen = "0.0.0.0"; }
  SECTION("guard centre") { config.guard.receivers.emplace_back("tls://centre.example.net:10443"); }
  SECTION("pages") { config.pages.listen = "10.0.0.1"; }
  CHECK_FALSE(replay_refusal(config).empty());
}

TEST_CASE("a missing file is not_found; empty file keys are filled from the folder") {
  const auto missing = read_relay_config("/nonexistent/relay.toml", {"/nonexistent"});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == errc::not_found);
  CHECK(default_relay_config({"/x"}).database == "/x/relay.db");
  CHECK(default_relay_config({"/x"}).device.key == "/x/relay-key.pem");
}

// Goal: whatever key is said to change at the next start only keeps its value at a reload; the others take the new one.
TEST_CASE("a reload keeps what was opened at the start") {
  const relay_config former = default_relay_config({"/var/lib/tomoshibi"});
  relay_config fresh = former;
  REQUIRE(read("[store]\ndatabase = \"/elsewhere.db\"\n[device]\nlisten = \"::\"\nport = 443\nconnections_max = 7\n"
               "[pages]\nenabled = false\nlisten = \"::1\"\nport = 80\napi_token_file = \"/t\"\n"
               "[emergency]\nenabled = false\nlisten = \"::1\"\nport = 81\nconnections_max = 9\n"
               "[guard]\nreceivers = [\"tcp://10.0.0.1:12000\"]\nplain = true\nca = \"/c\"\ncertificate = \"/d\"\nkey = \"/e\"\n"
               "format = \"sia-dcs\"\nreceiver = \"1\"\nline = \"2\"\nextensions = false\nnull_interval_s = 7\n"
               "line_account = \"0A12\"\n",
               fresh));
  const auto waiting = [&] {
    return std::ranges::count_if(differences(former, fresh), [](const auto& d) { return d.at_start; });
  };
  relay_config any;
  const std::string sample = relay_schema(any).sample();
  const std::string_view mark = "Changes at the next start only.";
  std::ptrdiff_t marked = 0;
  for (auto at = sample.find(mark); at != std::string::npos; at = sample.find(mark, at + 1)) ++marked;
  REQUIRE(waiting() == marked);
  keep_at_start(former, fresh);
  CHECK(waiting() == 0);
  CHECK(fresh.device.connections_max == 7);
  CHECK(fresh.pages.api_token_file == "/t");
}
