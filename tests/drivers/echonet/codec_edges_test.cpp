// Goal: the rare turns of the ECHONET codecs, each made to happen: every service, values and lists at their limits, maps whose form
// is in doubt, properties that a class does not have, values of a wrong length.
#include "drivers/echonet/classes.hpp"
#include "drivers/echonet/frame.hpp"
#include "drivers/echonet/limits.hpp"
#include "drivers/echonet/property_map.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>

using namespace tomoshibi;
using namespace tomoshibi::drivers::echonet;

TEST_CASE("all services of the specification are known, and no other") {
  const std::vector<int> services{0x50, 0x51, 0x52, 0x53, 0x5e, 0x60, 0x61, 0x62, 0x63, 0x6e, 0x71, 0x72, 0x73, 0x74, 0x7a, 0x7e};
  for (int code = 0; code <= 0xff; ++code) {
    CAPTURE(code);
    const auto service = static_cast<esv>(code);
    CHECK(is_known(service) == (std::ranges::find(services, code) != services.end()));
    CHECK(has_two_lists(service) == (code == 0x6e || code == 0x7e || code == 0x5e));
  }
}

TEST_CASE("a frame takes what a byte can count and a datagram can hold, and nothing beyond") {
  bytes frame;
  frame_writer long_value{frame, {}};
  CHECK_FALSE(long_value.add(0x80, bytes(256)));
  CHECK(long_value.add(0x80, bytes(255)));
  bytes other;
  frame_writer many{other, {}};
  for (int i = 0; i < 255; ++i) REQUIRE(many.add(0x80));
  CHECK_FALSE(many.add(0x80));
  bytes third;
  frame_writer full{third, {}};
  while (full.add(0x80, bytes(200))) {}
  CHECK(third.size() <= datagram_max);
  CHECK(third.size() + 202 > datagram_max);
}

TEST_CASE("maps whose form is in doubt") {
  // 16 bytes: one bit set and a count of one is a bitmap, though the byte could be a code.
  bytes one_bit(17);
  one_bit[0] = 1;
  one_bit[1] = 0x80;
  CHECK(*property_map::decode(one_bit) == property_map{0xf0});
  // More than 15 announced, fewer bytes: codes if they all can be.
  CHECK(*property_map::decode(bytes{16, 0x80, 0x81}) == property_map{0x80, 0x81});
  // More than 15 announced, more bytes than a bitmap has.
  bytes long_list(20, 0x90);
  CHECK(*property_map::decode(long_list) == property_map{0x90});
  CHECK_FALSE(property_map{0x80}.contains(0x10));
  CHECK_FALSE(property_map{0x80} == property_map{0x81});
  CHECK_FALSE(property_map{0xf0} == property_map{0xf1});
}

TEST_CASE("what a class does not have, or has in another length, is nothing") {
  CHECK(info_of(0x0005).code == 0);  // between known classes
  CHECK(info_of(0xffff).code == 0);  // behind them
  const std::optional<property_map> nothing{property_map{}};
  for (const class_info& info : known_classes()) {
    CAPTURE(info.code);
    CHECK(sensor_epc_of(info, nothing) == 0);
    CHECK(power_epc_of(info, nothing) == 0);
    CHECK(energy_epc_of(info, nothing) == 0);
    for (const std::size_t size : {0u, 1u, 2u, 3u, 4u, 5u}) {
      const bytes value(size, 0x41);
      for (int code = 0; code <= 0xff; ++code) {
        const auto epc = static_cast<epc_code>(code);
        const auto active = decode_sensor(info, epc, value);
        CHECK((!active || (size == 1 && is_sensor_epc(info, epc))));
        const auto watts = decode_power(info, epc, value);
        CHECK((!watts || ((size == 2 || size == 4) && is_power_epc(info, epc))));
      }
    }
    CHECK_FALSE(is_sensor_epc(info, 0));
    CHECK_FALSE(is_power_epc(info, 0));
  }
}

TEST_CASE("a fault is present or absent, and all else is nothing") {
  CHECK(decode_fault(bytes{0x41}) == true);
  CHECK(decode_fault(bytes{0x42}) == false);
  CHECK_FALSE(decode_fault(bytes{0x43}));
  CHECK_FALSE(decode_fault(bytes{}));
  CHECK_FALSE(decode_fault(bytes{0x41, 0x41}));
}
