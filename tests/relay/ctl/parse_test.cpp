// Goal: what the command line takes as a value is exactly what its help says, and each form reads back as it was written.
#include "firmware/shell/config_file.hpp"
#include "relay/ctl/appliance_class.hpp"
#include "relay/ctl/gateway_bundle.hpp"
#include "relay/ctl/json_text.hpp"
#include "relay/ctl/parse.hpp"
#include "relay/ctl/server_names.hpp"
#include "relay/ctl/text_table.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::ctl;

TEST_CASE("every allowed zone reads back, and no other offset is taken") {
  for (std::int32_t m = -15 * 60; m <= 15 * 60; ++m) {
    CAPTURE(m);
    const auto back = parse_zone("z", format_zone(m));
    REQUIRE(back.has_value() == (m % 15 == 0 && m >= -12 * 60 && m <= 14 * 60));
    if (back) REQUIRE(*back == m);
  }
  REQUIRE(parse_zone("z", "Z") == 0);
}

TEST_CASE("every day of four centuries reads back") {
  using namespace std::chrono;
  for (sys_days d = sys_days{1970y / 1 / 1}; d < sys_days{2400y / 1 / 1}; d += days{1}) {
    const auto back = parse_date("d", format_local(wall_at{d}, 0).substr(0, 10));
    REQUIRE(back.has_value());
    REQUIRE(*back == d);
  }
  for (const char* bad : {"2100-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "2026-01-0a", ""})
    REQUIRE(!parse_date("d", bad).has_value());
  REQUIRE(parse_date("d", "2000-02-29").has_value());
}

TEST_CASE("times of the present") {
  REQUIRE(parse_utc("t", "1970-01-02T00:00:01Z") == wall_from_ms(86'401'000));
  REQUIRE(parse_utc("t", "1970-01-01T23:59:59.042Z") == wall_from_ms(86'399'042));
  for (const char* bad : {"1970-01-01T24:00:00Z", "1970-01-01T00:00:60Z", "1970-01-01 00:00:00Z", "1970-01-01T00:00:00",
                          "1970-01-01T00:00:00.1Z", "1970-01-01T00:00:00+09"})
    REQUIRE(!parse_utc("t", bad).has_value());
}

TEST_CASE("quiet hours read back and may span midnight") {
  for (const char* text : {"22:00-07:00", "00:00-06:30", "none"}) REQUIRE(format_quiet_hours(*parse_quiet_hours("q", text)) == text);
  REQUIRE(parse_quiet_hours("q", "22:00-24:00") == relay::quiet_hours{1320, 0});
  REQUIRE(!parse_quiet_hours("q", "22:00-22:00").has_value());
}

TEST_CASE("durations read back") {
  for (const char* text : {"45m", "90m", "6h", "2d"}) REQUIRE(format_duration(*parse_duration("d", text, 45min, 48h)) == text);
  for (const char* bad : {"44m", "49h", "6", "h", "6 h", "-6h", "99999999999h"})
    REQUIRE(!parse_duration("d", bad, 45min, 48h).has_value());
}

TEST_CASE("classes read back by name") {
  for (const char* text : {"tv", "rice-cooker", "microwave", "refrigerator", "motion", "door", "energy", "switch"})
    REQUIRE(class_name(*parse_class("c", text)) == text);
  REQUIRE(parse_class("c", "0x0602") == 0x060200u);
  REQUIRE(parse_class("c", "0x060202") == 0x060202u);
  REQUIRE(class_name(0x060202) == "tv instance 2");
}

TEST_CASE("JSON strings hold any bytes") {
  REQUIRE(json_string("a\"b\\c\nd\x01") == "\"a\\\"b\\\\c\\nd\\u0001\"");
  REQUIRE(json_string("テ\xff") == "\"テ\xef\xbf\xbd\"");
}

TEST_CASE("columns line up under Japanese") {
  REQUIRE(shown_width("テレビtv") == 8);
  text_table t({"A", "B"});
  t.row({"テレビ", "x"});
  t.row({"tv", ""});
  REQUIRE(t.text() == "A       B\nテレビ  x\ntv\n");
}

TEST_CASE("the gateway reads the configuration of its bundle") {
  for (const char* host : {"relay.example.org", "192.0.2.7", "2001:db8::7"}) {
    CAPTURE(host);
    bundle b;
    b.gateway = *gateway_id::parse("box-1");
    b.relay_host = host;
    b.relay_port = 443;
    const auto read = firmware::read_gateway_config_text(gateway_configuration(b), "/x/gateway.toml");
    REQUIRE(read.has_value());
    REQUIRE(read->relays.size() == 1);
    REQUIRE(read->relays[0].host == host);
    REQUIRE(read->relays[0].port == 443);
    REQUIRE(read->certificate == "/x/gateway.pem");
    REQUIRE(read->key == "/x/gateway.key");
    REQUIRE(read->ca == "/x/ca.pem");
  }
}

// Goal: a gateway is enrolled without a warning exactly if Mbed TLS will take the relay's certificate for the name it dials.
TEST_CASE("which hosts a certificate covers") {
  certificate_facts facts;
  facts.dns_names = {"relay.example.org", "*.homes.example.org"};
  facts.ip_addresses = {"192.0.2.7", "2001:db8::7"};
  CHECK(names_of(facts) == "relay.example.org, *.homes.example.org, 192.0.2.7, 2001:db8::7");
  for (const char* yes : {"relay.example.org", "RELAY.example.org", "a.homes.example.org", "A.Homes.Example.Org", "192.0.2.7",
                          "2001:db8::7", "2001:DB8:0::0:7"}) {
    CAPTURE(yes);
    CHECK(covers(facts, yes));
  }
  for (const char* no : {"example.org", "x.relay.example.org", "homes.example.org", ".homes.example.org", "a.b.homes.example.org",
                         "*.example.org", "192.0.2.8", "192.0.2", "2001:db8::8", ""}) {
    CAPTURE(no);
    CHECK_FALSE(covers(facts, no));
  }
  CHECK_FALSE(covers({}, "relay.example.org"));
}
