// Goal: both forms of a property map are read, and no count byte is trusted.
#include "drivers/echonet/property_map.hpp"
#include "protocol/base/prng.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::drivers::echonet;

namespace {

property_map read(std::string_view text) { return *property_map::decode(*from_hex(text)); }

bytes written(const property_map& m) {
  bytes out;
  m.encode(out);
  return out;
}

}  // namespace

TEST_CASE("a real emergency button's maps are read and written") {
  const property_map get{0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c,
                         0x8d, 0x8e, 0x8f, 0x93, 0x97, 0x98, 0x99, 0x9a, 0x9d, 0x9e, 0x9f, 0xb1};
  CHECK(get.size() == 25);
  CHECK(read("1901090103010101030303030101030303") == get);
  CHECK(to_hex(written(get)) == "1901090103010101030303030101030303");
  CHECK(read("04808188b1") == property_map{0x80, 0x81, 0x88, 0xb1});
  CHECK(to_hex(written({0x80, 0x81, 0x88, 0xb1})) == "04808188b1");
}

TEST_CASE("the bits count, not the count byte") {
  const property_map truth = read("1901090103010101030303030101030303");
  CHECK(read("0501090103010101030303030101030303") == truth);
  CHECK(read("ff01090103010101030303030101030303") == truth);
  CHECK(read("0001090103010101030303030101030303") == truth);
}

TEST_CASE("a list is bounded by its bytes") {
  CHECK(read("ff8081") == property_map{0x80, 0x81});
  CHECK(read("018081") == property_map{0x80, 0x81});
  CHECK(read("02") == property_map{});
  CHECK(read("03800001") == property_map{0x80});  // not property codes
}

TEST_CASE("a list padded with zeros to the size of a bitmap is a list") {
  CHECK(read("04808188b1000000000000000000000000") ==
        property_map{0x80, 0x81, 0x88, 0xb1});
}

TEST_CASE("a bitmap that was cut gives what is there") {
  CHECK(read("190109") == property_map{0x80, 0x81, 0xb1});
}

TEST_CASE("an empty value is no map") { CHECK_FALSE(property_map::decode({}).has_value()); }

TEST_CASE("every set of codes survives writing and reading") {
  for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
    CAPTURE(seed);
    prng random{seed};
    property_map m;
    const auto density = random.below(1'000);
    for (unsigned c = 0x80; c <= 0xff; ++c) {
      if (random.chance(static_cast<std::uint32_t>(density))) m.insert(static_cast<epc_code>(c));
    }
    const bytes raw = written(m);
    REQUIRE(raw.size() == (m.size() <= 15 ? m.size() + 1 : 17));
    REQUIRE(*property_map::decode(raw) == m);
  }
}
