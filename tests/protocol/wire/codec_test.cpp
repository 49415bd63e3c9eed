// Goal: what is encoded is decoded unchanged; what breaks the format or a limit is refused; nothing crashes.
#include "tests/protocol/wire/samples.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::wire;

namespace {

result<message> decode_hex(std::string_view hex) { return decode_payload(from_hex(hex).value()); }
bool refused(std::string_view hex) { return !decode_hex(hex) && decode_hex(hex).error().code == errc::malformed; }

message round_trip(const message& m) {
  const auto frame = encode_frame(m);
  REQUIRE(frame);
  REQUIRE(frame->size() <= frame_payload_max + 2);
  auto back = decode_payload(byte_view{*frame}.subspan(2));
  REQUIRE(back);
  return *back;
}

bool decodes(const message& m) {
  const auto frame = encode_frame(m);
  REQUIRE(frame);
  return decode_payload(byte_view{*frame}.subspan(2)).has_value();
}

}  // namespace

TEST_CASE("random messages survive encoding and decoding") {
  for (std::uint64_t seed = 1; seed <= 3'000; ++seed) {
    INFO("seed " << seed);
    prng random{seed};
    const message m = random_message(random);
    REQUIRE((round_trip(m) == m));
  }
}

TEST_CASE("random records survive, and the largest stay within their limit") {
  for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
    INFO("seed " << seed);
    prng random{seed};
    const record r = random_record(random);
    const bytes encoded = encode_record(r);
    REQUIRE(encoded.size() <= record_bytes_max);
    const auto back = decode_record(encoded);
    REQUIRE(back);
    REQUIRE((*back == r));
  }
}

TEST_CASE("a message cut short or with flipped bits is refused or decodes to something, and never crashes") {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    prng random{seed};
    bytes frame = encode_frame(random_message(random)).value();
    bytes payload{frame.begin() + 2, frame.end()};
    for (std::size_t n = 0; n < payload.size(); n += 1 + payload.size() / 64)
      (void)decode_payload(byte_view{payload}.first(n));
    for (int i = 0; i < 40; ++i) {
      bytes bent = payload;
      bent[random.below(bent.size())] ^= static_cast<std::uint8_t>(1 << random.below(8));
      (void)decode_payload(bent);
    }
  }
}

TEST_CASE("a decoded message encodes to something that decodes to the same") {
  for (std::uint64_t seed = 1; seed <= 4'000; ++seed) {
    INFO("seed " << seed);
    prng random{seed};
    bytes frame = encode_frame(random_message(random)).value();
    bytes payload{frame.begin() + 2, frame.end()};
    payload[random.below(payload.size())] ^= static_cast<std::uint8_t>(1 << random.below(8));
    const auto m = decode_payload(payload);
    if (!m) continue;
    const auto again = encode_frame(*m);
    if (!again) continue;  // canonical form may be longer than a frame
    const auto back = decode_payload(byte_view{*again}.subspan(2));
    REQUIRE(back);
    REQUIRE((*back == *m));
  }
}

TEST_CASE("unknown fields are skipped, an unknown body alone is unsupported, no body is malformed") {
  CHECK((decode_hex("3a02084d" "a00605" "aa0603010203").value() == message{ping{77}}));  // fields 100, 101 after a ping
  CHECK((decode_hex("3a06084d" "50077800").value() == message{ping{77}}));               // fields 10, 15 inside a ping
  CHECK(decode_hex("92010408011002").error().code == errc::unsupported);                 // field 18
  CHECK(refused("3a"));
  CHECK(refused("00"));                                                                  // tag 0
  CHECK(decode_payload({}).error().code == errc::malformed);
  CHECK(refused("3b084d3c"));                                                            // groups do not exist
  CHECK(refused("38" "05"));                                                             // ping as a number
}

TEST_CASE("the last of two bodies stands") {
  CHECK((decode_hex("3a02084d" "3a02084e").value() == message{ping{78}}));
}

TEST_CASE("what is out of range is malformed") {
  const auto with_slot = [](appliance_slot a) {
    return message{records{.first_seq = 1, .items = {{slot_closed{.slot = {5}, .time_uncertain = false,
                                                                  .appliances = {a}}, {}}}}};
  };
  const appliance_slot good{.appliance = appliance_id{1}, .state = slot_state::on, .on_seconds = 900, .energy_wh = {},
                            .energy_after_gap = false, .readings_expected = 1, .readings_got = 1};
  CHECK(decodes(with_slot(good)));
  appliance_slot bad = good;
  bad.on_seconds = 901;
  CHECK_FALSE(decodes(with_slot(bad)));
  bad = good;
  bad.appliance = appliance_id{0};
  CHECK_FALSE(decodes(with_slot(bad)));
  bad = good;
  bad.state = static_cast<slot_state>(4);
  CHECK_FALSE(decodes(with_slot(bad)));

  const auto with_gap = [](slot_index first, std::uint32_t count) {
    return message{records{.first_seq = 1, .items = {{slot_gap{.first_slot = first, .count = count,
                                                               .reason = gap_reason::no_clock,
                                                               .time_uncertain = false, .appliances = {}}, {}}}}};
  };
  CHECK(decodes(with_gap({slot_value_max}, gap_slots_max)));
  CHECK_FALSE(decodes(with_gap({slot_value_max + 1}, 1)));
  CHECK_FALSE(decodes(with_gap({-1}, 1)));
  CHECK_FALSE(decodes(with_gap({5}, 0)));
  CHECK_FALSE(decodes(with_gap({5}, gap_slots_max + 1)));

  CHECK_FALSE(decodes(records{.first_seq = 0, .items = {{event{}, {}}}}));
  CHECK_FALSE(decodes(records{.first_seq = UINT64_MAX, .items = {{event{}, {}}}}));
  CHECK_FALSE(decodes(records{.first_seq = 1, .items = {}}));
  CHECK_FALSE(decodes(records{.first_seq = 1, .items = {{event{.kind = static_cast<event_kind>(99)}, {}}}}));
  CHECK_FALSE(decodes(records{.first_seq = 1, .items = {{event{}, wall_from_ms(-1)}}}));

  CHECK_FALSE(decodes(hello{.gateway = "a", .firmware_version = "", .oldest_seq = 0, .wall = {}}));
  CHECK_FALSE(decodes(hello{.gateway = "a", .firmware_version = "", .oldest_seq = 3, .next_seq = 2, .wall = {}}));
  CHECK_FALSE(decodes(config{.version = 1, .poll_interval_s = 0, .gap_limit_s = 10, .appliances = {}}));
  CHECK_FALSE(decodes(config{.version = 1, .poll_interval_s = 60, .gap_limit_s = 59, .appliances = {}}));
  CHECK_FALSE(decodes(config{.version = 1, .poll_interval_s = 60, .gap_limit_s = 3601, .appliances = {}}));
  CHECK_FALSE(decodes(bye{.reason = static_cast<bye_reason>(0), .text = ""}));
}

TEST_CASE("more than the listed number of appliances is refused") {
  const auto record_of = [](int appliances) {
    bytes out{0x0a, static_cast<std::uint8_t>((appliances * 6 & 0x7f) | 0x80),
              static_cast<std::uint8_t>(appliances * 6 >> 7)};
    for (int i = 0; i < appliances; ++i) put_bytes(out, from_hex("1a0408011002").value());
    return out;
  };
  CHECK(decode_record(record_of(32)));
  CHECK_FALSE(decode_record(record_of(33)));
}

TEST_CASE("texts over their limit are cut at a character when encoded, and refused when decoded") {
  std::string text;
  while (text.size() <= text_bytes_max) text += "灯";
  const auto back = std::get<bye>(round_trip(bye{.reason = bye_reason::shutdown, .text = text}));
  CHECK(back.text == text.substr(0, text_bytes_max / 3 * 3));

  bytes payload{0x4a, 125, 0x08, 0x01, 0x12, 121};
  payload.insert(payload.end(), 121, 'x');
  CHECK_FALSE(decode_payload(payload));
  payload[1] = 124;
  payload[5] = 120;
  payload.pop_back();
  CHECK(decode_payload(payload));
}

TEST_CASE("text that is not UTF-8 is refused, and never sent") {
  CHECK(refused("4a0508011201ff"));
  const auto back = std::get<bye>(round_trip(bye{.reason = bye_reason::shutdown, .text = "a\xff\xed\xa0\x80z"}));
  CHECK(back.text == "a????z");
}

TEST_CASE("the builder makes what the encoder makes, fills frames and never overfills them") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    INFO("seed " << seed);
    prng random{seed};
    records expected{.first_seq = random.below(1'000'000) + 1, .items = {}};
    records_builder builder{expected.first_seq};
    record r = random_record(random);
    while (builder.add(encode_record(r))) {
      expected.items.push_back(r);
      r = random_record(random);
    }
    REQUIRE(builder.count() == expected.items.size());
    const bytes frame = builder.frame();
    REQUIRE(frame.size() <= frame_payload_max + 2);
    CHECK(frame == encode_frame(expected).value());
    expected.items.push_back(r);
    CHECK_FALSE(encode_frame(expected));
  }
}

TEST_CASE("a record over the limit is refused by the builder") {
  records_builder builder{1};
  CHECK_FALSE(builder.add(bytes(record_bytes_max + 1, 0)));
  CHECK(builder.count() == 0);
}
