// Goal: the reader of slots and the generated codec agree about every encoding, also of damaged slots and of later versions.
#include "protocol/base/prng.hpp"
#include "protocol/wire/field_walker.hpp"
#include "protocol/wire/slot_decode.hpp"
#include "tests/protocol/wire/slot_judge.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::wire;

namespace {

slot_closed random_slot(prng& random) {
  slot_closed out;
  out.slot = slot_index{static_cast<std::int32_t>(random.below(slot_value_max + 1))};
  out.time_uncertain = random.chance(500);
  out.appliances.resize(random.below(appliances_max + 1));
  for (auto& a : out.appliances) {
    a.appliance = static_cast<appliance_id>(1 + random.below(65'535));
    a.state = static_cast<slot_state>(1 + random.below(3));
    a.on_seconds = static_cast<std::uint16_t>(random.below(901));
    if (random.chance(500)) a.energy_wh = static_cast<std::uint32_t>(random.next() >> random.below(33));
    a.energy_after_gap = random.chance(500);
    a.readings_expected = static_cast<std::uint16_t>(random.below(65'536));
    a.readings_got = static_cast<std::uint16_t>(random.below(65'536));
  }
  return out;
}

// The SlotClosed inside an encoded record: field 1, behind a one- or two-byte length.
bytes encoded(const slot_closed& slot) {
  const bytes whole = encode_record({slot, {}});
  field_walker walker{whole};
  field f;
  REQUIRE(walker.next(f));
  REQUIRE(f.tag == 1);
  return {f.part.begin(), f.part.end()};
}

std::optional<slot_closed> read(byte_view data) {
  slot_closed out;
  if (!decode_slot(data, out)) return std::nullopt;
  return out;
}

bool taken(const bytes& data) {
  const auto ours = read(data);
  CAPTURE(to_hex(data));
  CHECK(judge_agrees(data, ours));
  return ours.has_value();
}

// A slot with one appliance, whose fields come behind id 1 and state ON.
bytes with(std::initializer_list<std::uint8_t> more) {
  bytes out{0x08, 0x0a, 0x1a, static_cast<std::uint8_t>(4 + more.size()), 0x08, 0x01, 0x10, 0x01};
  out.insert(out.end(), more);
  return out;
}

}  // namespace

TEST_CASE("what was encoded is read, and the judge agrees") {
  prng random{7};
  for (int i = 0; i < 2'000; ++i) {
    const slot_closed slot = random_slot(random);
    const bytes data = encoded(slot);
    CHECK(read(data) == slot);
    CHECK(judged_slot(data) == slot);
  }
}

TEST_CASE("damaged slots: cut anywhere, any bytes changed, bytes put in or taken out: the judge agrees") {
  std::size_t refused = 0;
  std::size_t others = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    prng random{seed};
    slot_closed slot = random_slot(random);
    slot.appliances.resize(slot.appliances.size() % 4);
    const bytes good = encoded(slot);
    for (std::size_t n = 0; n < good.size(); ++n) taken({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(n)});
    for (int i = 0; i < 2'000; ++i) {
      bytes data = good;
      for (std::uint64_t changes = 1 + random.below(3); changes > 0 && !data.empty(); --changes) {
        const auto at = static_cast<std::ptrdiff_t>(random.below(data.size()));
        const auto value = static_cast<std::uint8_t>(random.next());
        switch (random.below(3)) {
          case 0: data[static_cast<std::size_t>(at)] = value; break;
          case 1: data.insert(data.begin() + at, value); break;
          default: data.erase(data.begin() + at); break;
        }
      }
      (taken(data) ? others : refused) += 1;
    }
  }
  CHECK(refused > 10'000);
  CHECK(others > 5'000);
}

TEST_CASE("each field has its kind and its range") {
  CHECK(taken(with({})));
  CHECK(taken({}));                                           // nothing told: slot 0, nobody
  CHECK_FALSE(taken({0x0a, 0x01, 0x00}));                     // the slot as bytes
  CHECK_FALSE(taken({0x08, 0x01}));                           // slot -1
  CHECK_FALSE(taken({0x08, 0xff, 0xff, 0xff, 0xff, 0x0f}));   // below all slots
  CHECK_FALSE(taken({0x08, 0xfe, 0xff, 0xff, 0xff, 0x0f}));   // beyond the last
  CHECK(taken({0x10, 0x01}));
  CHECK(taken({0x10, 0x02}));                                 // any number but 0 is "yes"
  CHECK(taken({0x10, 0xff, 0xff, 0xff, 0xff, 0x0f}));
  CHECK_FALSE(taken({0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}));  // more than 32 bits
  CHECK_FALSE(taken({0x12, 0x00}));
  CHECK_FALSE(taken({0x18, 0x01}));                           // an appliance as a number
  CHECK_FALSE(taken(with({0x08, 0x80, 0x80, 0x04})));         // appliance 65536
  CHECK_FALSE(taken(with({0x08, 0x00})));
  CHECK_FALSE(taken(with({0x10, 0x00})));                     // the last state told counts: unspecified
  CHECK_FALSE(taken(with({0x10, 0x04})));
  CHECK(taken(with({0x18, 0x84, 0x07})));                     // 900 s
  CHECK_FALSE(taken(with({0x18, 0x85, 0x07})));
  CHECK(taken(with({0x20, 0xff, 0xff, 0xff, 0xff, 0x0f})));
  CHECK_FALSE(taken(with({0x20, 0x80, 0x80, 0x80, 0x80, 0x10})));
  CHECK_FALSE(taken(with({0x22, 0x00})));
  CHECK(taken(with({0x28, 0x01})));
  CHECK_FALSE(taken(with({0x2a, 0x00})));
  CHECK(taken(with({0x30, 0xff, 0xff, 0x03})));
  CHECK_FALSE(taken(with({0x30, 0x80, 0x80, 0x04})));
  CHECK(taken(with({0x38, 0xff, 0xff, 0x03})));
  CHECK_FALSE(taken(with({0x38, 0x80, 0x80, 0x04})));
}

TEST_CASE("later fields are skipped, whatever their kind; withdrawn kinds are refused") {
  CHECK(taken(with({0x78, 0x01})));
  CHECK(taken(with({0x79, 1, 2, 3, 4, 5, 6, 7, 8})));
  CHECK(taken(with({0x7a, 0x02, 0xaa, 0xbb})));
  CHECK(taken(with({0x7d, 1, 2, 3, 4})));
  CHECK_FALSE(taken(with({0x7b, 0x7c})));                     // a group
  CHECK_FALSE(taken(with({0x79, 1, 2, 3})));                  // cut off
  CHECK_FALSE(taken(with({0x00, 0x01})));                     // field number 0
  CHECK_FALSE(taken(with({0xf8, 0xff, 0xff, 0xff, 0x1f, 0x01})));  // a key of more than 32 bits
}

TEST_CASE("a number has at most 64 bits") {
  CHECK(taken(with({0x78, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})));
  CHECK_FALSE(taken(with({0x78, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02})));
  CHECK_FALSE(taken(with({0x78, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0x00})));
  CHECK_FALSE(taken(with({0x78, 0x80})));
}

TEST_CASE("a field told again: the last one counts, if each was in its range") {
  CHECK(read(bytes{0x08, 0x0a, 0x08, 0x0c})->slot == slot_index{6});
  CHECK_FALSE(taken({0x08, 0x01, 0x08, 0x0c}));
}

TEST_CASE("at most so many appliances") {
  slot_closed slot;
  slot.appliances.resize(appliances_max);
  for (auto& a : slot.appliances) a.appliance = appliance_id{1};
  bytes data = encoded(slot);
  CHECK(taken(data));
  put_bytes(data, bytes{0x1a, 0x04, 0x08, 0x01, 0x10, 0x01});
  CHECK_FALSE(taken(data));
}
