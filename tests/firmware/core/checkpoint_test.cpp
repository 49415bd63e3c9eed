#include "firmware/core/checkpoint.hpp"
#include "protocol/base/prng.hpp"
#include "tests/firmware/core/slots_support.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

namespace {

aggregator_checkpoint random_checkpoint(prng& random) {
  aggregator_checkpoint c;
  c.open = slot0 + static_cast<int>(random.below(1000));
  c.at = in_slot(0, random.between(-1'000'000, 1'000'000));
  c.uncertain = random.chance(500);
  const auto count = random.below(wire::appliances_max + 1);
  for (std::uint64_t i = 0; i < count; ++i) {
    aggregator_checkpoint::appliance a;
    a.id = appliance_id{static_cast<std::uint16_t>(1 + i * 7)};
    a.account.on = random.chance(500);
    a.account.missing = random.chance(500);
    a.account.has_energy = random.chance(500);
    a.account.after_gap = random.chance(500);
    a.account.on_ms = random.between(0, 900'000);
    a.account.energy_wh = static_cast<std::uint32_t>(random.next());
    a.account.expected = static_cast<std::uint16_t>(random.next());
    a.account.got = static_cast<std::uint16_t>(random.next());
    if (random.chance(700)) {
      a.meter = meter_baseline{random.next(), static_cast<std::uint32_t>(random.next()), c.at, c.open - 3};
    }
    c.appliances.push_back(a);
  }
  return c;
}

// With the checksum of its new content, so that the parser behind it is reached.
bytes resealed(bytes data) {
  std::uint32_t hash = 0x811c9dc5u;
  data.resize(data.size() - 4);
  for (const std::uint8_t b : data) hash = (hash ^ b) * 0x01000193u;
  put_u32(data, hash);
  return data;
}

errc code_of(const bytes& data) {
  const auto decoded = decode_checkpoint(data);
  REQUIRE_FALSE(decoded);
  return decoded.error().code;
}

}  // namespace

TEST_CASE("a checkpoint comes back as it was") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    INFO("seed " << seed);
    prng random{seed};
    const auto c = random_checkpoint(random);
    const auto back = decode_checkpoint(encode_checkpoint(c));
    REQUIRE(back);
    CHECK(*back == c);
  }
}

// Goal: an installed gateway understands what an older one of the same version wrote, for ever.
TEST_CASE("the bytes of version 1 do not change") {
  aggregator_checkpoint c;
  c.open = slot_index{1'900'000};
  c.at = wall_from_ms(1'710'000'123'456);
  c.uncertain = true;
  aggregator_checkpoint::appliance a;
  a.id = appliance_id{258};
  a.account = {61'000, 17, 15, 14, true, true, true, true};
  a.meter = meter_baseline{0x1122334455667788, 99, wall_from_ms(1'710'000'123'000), slot_index{1'899'999}};
  c.appliances.push_back(a);
  CHECK(to_hex(encode_checkpoint(c)) ==
        "01001cfde00000018e23f32e40010101021f0000ee4800000011000f000e"
        "1122334455667788000000630000018e23f32c78001cfddfbfe736f6");
}

TEST_CASE("every shortened or altered checkpoint is refused, none crashes") {
  prng random{1};
  auto c = random_checkpoint(random);
  c.appliances.resize(3);
  const bytes good = encode_checkpoint(c);
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK_FALSE(decode_checkpoint(byte_view{good}.first(size)));
    if (size >= 9) CHECK_FALSE(decode_checkpoint(resealed(bytes{good.begin(), good.begin() + static_cast<long>(size)})));
  }
  for (std::size_t i = 0; i < good.size(); ++i) {
    bytes bad = good;
    bad[i] ^= 0x10;
    CHECK_FALSE(decode_checkpoint(bad));
  }
}

TEST_CASE("what cannot be is malformed, what a newer program wrote is unsupported") {
  aggregator_checkpoint c;
  c.open = slot0;
  c.at = in_slot(0, 0);
  c.appliances.push_back({appliance_id{1}, {}, meter_baseline{1, 2, in_slot(0, 0), slot0}});
  c.appliances.push_back({appliance_id{2}, {}, {}});
  const bytes good = encode_checkpoint(c);
  REQUIRE(decode_checkpoint(good));
  const auto with = [&good](std::size_t at, std::uint8_t value) {
    bytes data = good;
    data[at] = value;
    return resealed(std::move(data));
  };
  CHECK(code_of(with(0, 2)) == errc::unsupported);
  CHECK(code_of(with(1, 0x7f)) == errc::malformed);    // open slot
  CHECK(code_of(with(5, 0x7f)) == errc::malformed);    // time
  CHECK(code_of(with(1, 0x80)) == errc::malformed);    // open slot, far in the past
  CHECK(code_of(with(5, 0x80)) == errc::malformed);    // time, the same
  CHECK(code_of(with(13, 2)) == errc::malformed);      // flags
  CHECK(code_of(with(14, 33)) == errc::malformed);     // count
  CHECK(code_of(with(14, 1)) == errc::malformed);      // bytes left over
  CHECK(code_of(with(14, 3)) == errc::truncated);
  CHECK(code_of(with(16, 0)) == errc::malformed);      // id 0
  CHECK(code_of(with(17, 0x30)) == errc::malformed);   // unknown flag
  CHECK(code_of(with(42, 0x7f)) == errc::malformed);   // time of the meter
  CHECK(code_of(with(50, 0x7f)) == errc::malformed);   // slot of the meter
  CHECK(code_of(with(42, 0x80)) == errc::malformed);   // the same, far in the past
  CHECK(code_of(with(50, 0x80)) == errc::malformed);
  CHECK(code_of(with(55, 1)) == errc::malformed);      // an id twice
  bytes bad = good;
  bad.back() ^= 1;
  CHECK(code_of(bad) == errc::malformed);
  CHECK(code_of({}) == errc::truncated);
}
