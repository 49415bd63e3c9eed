#include "firmware/shell/config_file.hpp"
#include "firmware/shell/options.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>

namespace tomoshibi::firmware {
namespace {

result<gateway_config> read(std::string_view toml) { return read_gateway_config_text(toml, "/etc/t/g.toml"); }

std::string problem(std::string_view toml) {
  const auto config = read(toml);
  return config ? "" : config.error().detail;
}

result<gateway_options> parse(std::vector<std::string> words) {
  std::vector<char*> pointers;
  for (auto& word : words) pointers.push_back(word.data());
  return parse_options(pointers);
}

}  // namespace

// Goal: an empty file is a good configuration: everything has a default, and nothing is dialled.
TEST_CASE("defaults") {
  const auto config = read("");
  REQUIRE(config);
  CHECK(config->relays.empty());
  CHECK(config->echonet.enabled);
  CHECK(config->echonet.bind_address == "0.0.0.0");
  CHECK(config->watch.version == 0);
  CHECK(config->watch.appliances.empty());
  REQUIRE(read(sample_gateway_config()));
}

// Goal: whatever key is said to change at the next start only keeps its value at a reload; the others take the new one.
TEST_CASE("a reload keeps what was opened at the start") {
  const gateway_config former = *read("");
  auto fresh = read(R"(
[gateway]
state_folder = "/elsewhere"
log = "debug"
[echonet]
enabled = false
interface = "eth1"
bind_address = "192.0.2.1"
[box]
button = "gpio"
button_device = "/dev/gpiochip0"
button_code = 7
button_active_low = true
button_debounce_ms = 5
power_folder = "/p"
[emergency]
enabled = false
port = 1
direct_after_s = 9
undelivered_after_s = 20
button_period_s = 60
panel_file = "/f"
lamp_folder = "/l"
lamp_call = "a"
lamp_answer = "b"
lamp_fault = "c"
buzzer = "d"
[guard]
account = "1234"
account_key = "/k"
receivers = ["tls://192.0.2.1:1"]
plain = true
ca = "/c"
certificate = "/x"
key = "/y"
format = "sia-dcs"
receiver = "1"
line = "1"
extensions = false
null_interval_s = 1
[watch]
poll_interval_s = 30
gap_limit_s = 90
[[appliance]]
id = 3
object = "0602"
)");
  REQUIRE(fresh);
  const auto waiting = [&] {
    return std::ranges::count_if(differences(former, *fresh), [](const auto& d) { return d.at_start; });
  };
  const std::string sample = sample_gateway_config();
  const std::string_view mark = "Changes at the next start only.";
  std::ptrdiff_t marked = 1;  // the appliances, which are no key
  for (auto at = sample.find(mark); at != std::string::npos; at = sample.find(mark, at + 1)) ++marked;
  REQUIRE(waiting() == marked);
  keep_at_start(former, *fresh);
  CHECK(waiting() == 0);
  CHECK(fresh->log == log_level::debug);
  CHECK(fresh->emergency.port == 1);
  CHECK(fresh->emergency.direct_after_s == 9);
  CHECK(fresh->emergency.undelivered_after_s == 20);
}

// Goal: a whole file arrives as written.
TEST_CASE("a whole file") {
  const auto config = read(R"(
[gateway]
state_folder = "state"
log = "debug"
[relay]
addresses = ["relay.example.net:8443", "192.0.2.7:443", "[2001:db8::7]:444"]
key = "/k"
[echonet]
interface = "eth1"
bind_address = "192.0.2.1"
[watch]
poll_interval_s = 30
gap_limit_s = 90
[[appliance]]
id = 3
label = "テレビ"
object = "0602"
[[appliance]]
id = 4
object = "05fd01"
node = "ip:192.0.2.9"
on = "watts_above"
watts_above = 20
power_w_max = 1500
)");
  REQUIRE(config);
  CHECK(config->state_folder == "/etc/t/state");
  CHECK(config->log == log_level::debug);
  CHECK(config->key == "/k");
  REQUIRE(config->relays.size() == 3);
  CHECK(config->relays[0].host == "relay.example.net");
  CHECK(config->relays[1].port == 443);
  CHECK(config->relays[2].host == "2001:db8::7");
  CHECK(config->watch.poll_interval_s == 30);
  REQUIRE(config->watch.appliances.size() == 2);
  CHECK(config->watch.appliances[0].eoj == 0x060200);
  CHECK(config->watch.appliances[0].appliance == appliance_id{3});
  CHECK(config->watch.appliances[1].eoj == 0x05fd01);
  CHECK(config->watch.appliances[1].on_rule == wire::on_rule_kind::watts_above);
  CHECK(config->watch.appliances[1].watts_above == 20);
}

// Goal: mistakes are told with file, line, key and what is allowed.
TEST_CASE("mistakes") {
  const std::pair<const char*, const char*> cases[] = {
      {"[relay]\naddresses = [\"relay\"]", "g.toml:2: relay.addresses: must be a list of host:port"},
      {"[relay]\naddresses = [\"relay:0\"]", "g.toml:2: relay.addresses"},
      {"[relay]\naddresses = [\"relay:65536\"]", "g.toml:2: relay.addresses"},
      {"[relay]\naddresses = [\"::1:80\"]", "g.toml:2: relay.addresses"},
      {"[relay]\naddresses = [\"a b:80\"]", "g.toml:2: relay.addresses"},
      {"[relay]\naddress = \"x\"", "g.toml:2: relay.address: unknown key"},
      {"[echonet]\nbind_address = \"::\"", "g.toml:2: echonet.bind_address: must be an IPv4 address"},
      {"[box]\nbutton = \"input\"", "box.button_device: needed"},
      {"[guard]\naccount = \"12\"",
       "g.toml:2: guard.account: must be the account number that the guard centre gave: 3 to 16 hexadecimal digits (0 to 9, A to F)"},
      {"[guard]\naccount = \"12345678901234567\"", "g.toml:2: guard.account: must be the account number"},
      {"[guard]\naccount = \"12G4\"", "g.toml:2: guard.account: must be the account number"},
      {"[emergency]\ndirect_after_s = 30\n[guard]\naccount = \"1234\"\nreceivers = [\"tcp://127.0.0.1:1\"]",
       "emergency.direct_after_s: must be less than emergency.undelivered_after_s (30 and 30)"},
      {"[emergency]\ndirect_after_s = 60\nundelivered_after_s = 59\n[guard]\naccount = \"1234\"\nreceivers = [\"tcp://127.0.0.1:1\"]",
       "emergency.direct_after_s: must be less than emergency.undeliv"},
      {"[guard]\naccount = \"12345\"", "guard.account and guard.receivers: both or none"},
      {"[guard]\nreceivers = [\"tcp://127.0.0.1:1\"]", "guard.account and guard.receivers: both or none"},
      {"[guard]\naccount = \"1234\"\nreceivers = [\"tcp://192.0.2.1:1\"]", "guard.receivers: tcp:// only to this machine"},
      {"[watch]\npoll_interval_s = 0", "g.toml:2: watch.poll_interval_s: must be an integer from 1 to 900"},
      {"[watch]\npoll_interval_s = 300\ngap_limit_s = 200", "[watch] and [[appliance]]: "},
      {"[[appliance]]\nid = 1\nobject = \"TV\"", "g.toml:3: appliance[1].object: must be an ECHONET object"},
      {"[[appliance]]\nid = 1\nobject = \"06020\"", "g.toml:3: appliance[1].object: must be an ECHONET object"},
      {"[[appliance]]\nobject = \"0602\"", "g.toml:1: appliance[1].id: is missing"},
      {"[[appliance]]\nid = 0\nobject = \"0602\"", "g.toml:2: appliance[1].id: must be an integer from 1 to 65535"},
      {"[[appliance]]\nid = 1\nobject = \"0602\"\n[[appliance]]\nid = 1\nobject = \"0601\"", "[watch] and [[appliance]]: "},
  };
  for (const auto& [toml, expected] : cases) {
    CAPTURE(toml, problem(toml));
    CHECK(problem(toml).find(expected) != std::string::npos);
  }
}

TEST_CASE("the direct call comes before the words not delivered, or never; an account is written one way") {
  const std::string centre = "\n[guard]\naccount = \"1234\"\nreceivers = [\"tcp://127.0.0.1:1\"]";
  CHECK(problem("[emergency]\ndirect_after_s = 29" + centre).empty());
  CHECK(problem("[emergency]\ndirect_after_s = 0\nundelivered_after_s = 10" + centre).empty());
  CHECK(problem("[emergency]\ndirect_after_s = 60").empty());   // nobody is called directly
  CHECK(read("[guard]\naccount = \"0a1f\"\nreceivers = [\"tcp://127.0.0.1:1\"]").value().direct.account == "0A1F");
}

// Goal: a replay clock can never meet a real relay or a real home network.
TEST_CASE("the replay clock is refused off loopback") {
  const auto refusal = [](std::string_view toml) {
    const auto config = read(toml);
    REQUIRE(config);
    return replay_refusal(*config);
  };
  const std::string lo = "[echonet]\ninterface = \"lo\"\nbind_address = \"127.0.0.1\"\n[relay]\naddresses = ";
  CHECK(refusal(lo + "[\"127.0.0.1:1\", \"[::1]:1\", \"localhost:1\", \"127.9.9.9:1\"]").empty());
  for (const char* host : {"192.0.2.1:1", "relay.example.net:1", "[2001:db8::1]:1", "0.0.0.0:1", "128.0.0.1:1",
                           "127.0.0.1.example.net:1"}) {
    CAPTURE(host);
    CHECK_FALSE(refusal(lo + "[\"127.0.0.1:1\", \"" + host + "\"]").empty());
  }
  CHECK_FALSE(refusal("").empty());
  CHECK_FALSE(refusal("[echonet]\ninterface = \"eth0\"\nbind_address = \"127.0.0.1\"").empty());
  CHECK_FALSE(refusal("[echonet]\ninterface = \"lo\"\nbind_address = \"192.0.2.1\"").empty());
  CHECK(refusal("[echonet]\nenabled = false").empty());
  const std::string centre = "[echonet]\nenabled = false\n[guard]\naccount = \"1234\"\nplain = true\nreceivers = [\"tcp://";
  CHECK(refusal(centre + "127.0.0.1:1\"]").empty());
  CHECK_FALSE(refusal(centre + "192.0.2.1:1\"]").empty());
}

// Goal: the command line is understood in both spellings, and nothing is guessed.
TEST_CASE("command line") {
  CHECK(parse({})->what == command::run);
  CHECK(parse({"--config", "a"})->config_path == "a");
  CHECK(parse({"--config=a"})->config_path == "a");
  CHECK(parse({"--replay-clock", "s"})->replay_socket == "s");
  CHECK(parse({"--check-config", "--config", "a"})->what == command::check_config);
  CHECK(parse({"--print-config"})->what == command::print_config);
  CHECK(parse({"--version"})->what == command::version);
  CHECK(parse({"-h"})->what == command::help);
  for (const char* wrong : {"--config", "--config=", "--conf", "x", "--configs=a", ""}) {
    CAPTURE(wrong);
    REQUIRE_FALSE(parse({wrong}));
    CHECK(parse({wrong}).error().code == errc::config_invalid);
  }
}

}  // namespace tomoshibi::firmware
