// Goal: the rare turns of the wire codec, each made to happen: fields of a wrong kind, lists and texts beyond their limits, every
// way in which bytes are no character.
#include "protocol/wire/messages.hpp"
#include "protocol/wire/text.hpp"

#include <catch2/catch_test_macros.hpp>

#include <set>

using namespace tomoshibi;
using namespace tomoshibi::wire;

namespace {

errc refused(const bytes& payload) {
  const auto got = decode_payload(payload);
  REQUIRE_FALSE(got);
  return got.error().code;
}
bool taken(const bytes& record) { return decode_record(record).has_value(); }
const bytes an_event{0x2a, 0x02, 0x08, 0x01};  // kind 1

bytes joined(bytes a, const bytes& b) {
  put_bytes(a, b);
  return a;
}

std::size_t size_of(std::string_view text) { return character_size(text); }

}  // namespace

TEST_CASE("a record's time has its kind and its range") {
  CHECK(taken(an_event));
  CHECK(taken(joined(an_event, {0x78, 0x02})));
  CHECK_FALSE(taken(joined(an_event, {0x78, 0x01})));        // 1 ms before 1970
  CHECK_FALSE(taken(joined(an_event, {0x7a, 0x01, 0x00})));  // bytes instead of a number
}

TEST_CASE("a record has a body that is known, and ends where it ends") {
  CHECK_FALSE(taken({0x78, 0x02}));                          // a time and nothing else
  CHECK_FALSE(taken({}));
  CHECK_FALSE(taken(joined(an_event, {0x78})));              // cut off
}

TEST_CASE("records have their kinds and their size") {
  CHECK(decode_payload(bytes{0x1a, 0x08, 0x08, 0x01, 0x12, 0x04, 0x2a, 0x02, 0x08, 0x01}).has_value());
  CHECK(refused({0x1a, 0x03, 0x0a, 0x01, 0x00}) == errc::malformed);  // the sequence as bytes
  CHECK(refused({0x1a, 0x04, 0x08, 0x01, 0x10, 0x01}) == errc::malformed);  // a record as a number
  // A record of one byte more than is allowed: an event, and a field of a later version to fill it up.
  bytes large = an_event;
  put_bytes(large, bytes{0xc2, 0x3e, 0xd4, 0x0b});  // field 1000, 1492 bytes
  large.resize(record_bytes_max);
  CHECK(taken(large));
  large[6] = 0xd5;
  large.resize(record_bytes_max + 1);
  CHECK_FALSE(taken(large));
  bytes list{0x08, 0x01, 0x12, 0xdd, 0x0b};
  put_bytes(list, large);
  bytes frame{0x1a, static_cast<std::uint8_t>(0x80 | (list.size() & 0x7f)), static_cast<std::uint8_t>(list.size() >> 7)};
  CHECK(refused(joined(frame, list)) == errc::malformed);
}

TEST_CASE("a payload is neither empty nor longer than a frame") {
  CHECK(refused({}) == errc::malformed);
  CHECK(refused(bytes(frame_payload_max + 1)) == errc::malformed);
}

TEST_CASE("lists and texts that do not fit are refused where they are encoded") {
  config too_many;
  too_many.appliances.resize(appliances_max + 1);
  CHECK_FALSE(encode_frame(too_many));
  config too_wordy;
  too_wordy.appliances.resize(appliances_max);
  for (auto& a : too_wordy.appliances) {
    a.appliance = appliance_id{65'535};
    a.eoj = 0xffffff;
    a.watts_above = a.power_w_max = 0xffffffff;
    a.label = std::string(label_bytes_max, 'x');
    a.node = std::string(device_key_max, 'x');
  }
  CHECK_FALSE(encode_frame(too_wordy));
  records long_list{.first_seq = 1, .items = std::vector<record>(2'000, record{event{}, {}})};
  CHECK_FALSE(encode_frame(long_list));
}

TEST_CASE("a device's report names a listed change, an appliance that can be, and a time") {
  const auto report = [](bytes inside) {
    bytes out{0x1a, static_cast<std::uint8_t>(inside.size())};
    put_bytes(out, inside);
    return taken(out);
  };
  CHECK(report({0x10, 0x01}));
  CHECK_FALSE(report({0x10, 0x00}));
  CHECK_FALSE(report({0x10, 0x05}));
  CHECK_FALSE(report({0x10, 0x01, 0x20, 0x80, 0x80, 0x04}));  // appliance 65536
  CHECK_FALSE(report({0x10, 0x01, 0x28, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}));  // a time before 1970
}

TEST_CASE("what is a character and what is none") {
  CHECK(size_of("a") == 1);
  CHECK(size_of(std::string_view{"\0", 1}) == 0);
  CHECK(size_of("\x80") == 0);
  CHECK(size_of("\xc1\xbf") == 0);          // longer than it need be
  CHECK(size_of("\xc2\x80") == 2);
  CHECK(size_of("\xc2") == 0);              // cut off
  CHECK(size_of("\xc2\x7f") == 0);          // second byte below
  CHECK(size_of("\xc2\xc0") == 0);          // and above
  CHECK(size_of("\xe0\x9f\xbf") == 0);
  CHECK(size_of("\xe0\xa0\x80") == 3);
  CHECK(size_of("\xed\xa0\x80") == 0);      // a surrogate
  CHECK(size_of("\xee\x80\x80") == 3);
  CHECK(size_of("\xe1\x80\x20") == 0);      // third byte is no follower
  CHECK(size_of("\xf0\x8f\xbf\xbf") == 0);
  CHECK(size_of("\xf1\x80\x80\x80") == 4);
  CHECK(size_of("\xf4\x8f\xbf\xbf") == 4);
  CHECK(size_of("\xf4\x90\x80\x80") == 0);  // beyond the last
  CHECK(size_of("\xf5\x80\x80\x80") == 0);
}

TEST_CASE("every reason to say goodbye has its own name for the log") {
  std::set<std::string_view> names;
  for (int i = 1; i <= static_cast<int>(bye_reason::unknown_gateway); ++i) names.insert(name_of(static_cast<bye_reason>(i)));
  CHECK(names.size() == static_cast<std::size_t>(bye_reason::unknown_gateway));
  CHECK_FALSE(names.contains("unlisted"));
  CHECK(name_of(static_cast<bye_reason>(0)) == "unlisted");
}

TEST_CASE("a press, its stages, its report and its request are named, and nothing unlisted is taken") {
  const auto arrives = [](const message& m) {
    const auto frame = encode_frame(m);
    return frame && decode_payload(byte_view{*frame}.subspan(2)).has_value();
  };
  const press_report report{.id = press_id{1}, .button = "", .occurred = {}, .times = {}, .request = {}};
  CHECK(arrives(report));
  press_report bad = report;
  bad.id = press_id{};
  CHECK_FALSE(arrives(bad));
  bad = report;
  bad.path = static_cast<press_path>(3);
  CHECK_FALSE(arrives(bad));
  bad = report;
  bad.source = static_cast<press_source>(0);
  CHECK_FALSE(arrives(bad));
  bad = report;
  bad.occurred = wall_from_ms(-1);
  CHECK_FALSE(arrives(bad));
  CHECK_FALSE(arrives(press_news{.id = press_id{1}, .stage = press_stage::calling}));
  CHECK_FALSE(arrives(press_news{.id = press_id{1}, .stage = static_cast<press_stage>(5)}));
  CHECK_FALSE(arrives(drill_request{0}));
  CHECK_FALSE(arrives(lane_welcome{wall_from_ms(-1)}));
  CHECK_FALSE(arrives(box_state{{{static_cast<trouble_kind>(0), ""}}}));
}

TEST_CASE("a newer gateway's press is a press, and its troubles that have no name here are left out") {
  const auto arrived = [](const message& m) {
    const auto frame = encode_frame(m);
    REQUIRE(frame);
    return decode_payload(byte_view{*frame}.subspan(2));
  };
  const auto pressed = arrived(
      press{.id = press_id{1}, .source = static_cast<press_source>(5), .button = "", .occurred = {}, .request = {}});
  REQUIRE(pressed);
  CHECK(std::get<press>(*pressed).source == press_source::button);
  for (const wall_at none : {wall_from_ms(-1), wall_from_ms(std::int64_t{1} << 62)}) {   // a box with a broken clock
    const auto timeless = arrived(press{.id = press_id{1}, .source = press_source::box, .button = "", .occurred = none, .request = {}});
    REQUIRE(timeless);
    CHECK_FALSE(std::get<press>(*timeless).occurred);
  }
  const auto state = arrived(box_state{{{static_cast<trouble_kind>(7), ""}, {trouble_kind::mains_lost, ""}}});
  REQUIRE(state);
  CHECK(std::get<box_state>(*state) == box_state{{{trouble_kind::mains_lost, ""}}});
}

TEST_CASE("a state of a box has at most eighty troubles, and fits a frame") {
  box_state state;
  state.troubles.resize(troubles_max, {trouble_kind::button_stuck, "fe00007700000000000000000000000001/000301"});
  CHECK(encode_frame(state));
  state.troubles.push_back({trouble_kind::mains_lost, ""});
  CHECK_FALSE(encode_frame(state));
  state.troubles.assign(troubles_max, {trouble_kind::button_stuck, std::string(device_key_max, 'x')});
  CHECK_FALSE(encode_frame(state));
}

TEST_CASE("what belongs to the emergency lane is known, and a ping does not") {
  CHECK(of_emergency_lane(press{.button = "", .occurred = {}, .request = {}}));
  CHECK(of_emergency_lane(press_news{}));
  CHECK(of_emergency_lane(lane_hello{.gateway = "", .firmware_version = ""}));
  CHECK(of_emergency_lane(lane_welcome{}));
  CHECK(of_emergency_lane(press_report{.button = "", .occurred = {}, .times = {}, .request = {}}));
  CHECK(of_emergency_lane(box_state{}));
  CHECK(of_emergency_lane(drill_request{}));
  CHECK_FALSE(of_emergency_lane(ping{}));
  CHECK_FALSE(of_emergency_lane(bye{.text = ""}));
}
