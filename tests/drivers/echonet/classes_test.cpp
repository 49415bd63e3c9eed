// Goal: every known class tells use from no use, and no marker or foreign value ever becomes a number.
#include "drivers/echonet/classes.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <vector>

using namespace tomoshibi;
using namespace tomoshibi::drivers::echonet;

namespace {

std::optional<bool> sensor(class_code code, epc_code epc, std::uint8_t value) {
  return decode_sensor(info_of(code), epc, byte_view{&value, 1});
}
std::optional<std::int32_t> power(class_code code, epc_code epc, std::string_view value) {
  return decode_power(info_of(code), epc, *from_hex(value));
}

}  // namespace

TEST_CASE("detection states: 0x41 is active, 0x42 is not, all else is nothing") {
  const std::vector<class_code> classes{0x0001, 0x0002, 0x0003, 0x0004, 0x0007, 0x0008,
                                        0x0009, 0x0019, 0x0026, 0x0028, 0x0029};
  for (const class_code code : classes) {
    CAPTURE(code);
    CHECK(sensor(code, 0xb1, 0x41) == true);
    CHECK(sensor(code, 0xb1, 0x42) == false);
    for (const int other : {0x00, 0x30, 0x40, 0x43, 0xff}) {
      CHECK_FALSE(sensor(code, 0xb1, static_cast<std::uint8_t>(other)).has_value());
    }
  }
  CHECK(sensor(0x03b7, 0xb0, 0x41) == true);
  CHECK(sensor(0x03b2, 0xe2, 0x42) == false);
  CHECK(sensor(0x026f, 0xe3, 0x41) == true);
}

TEST_CASE("a rice cooker is active while it heats") {
  CHECK(sensor(0x03bb, 0xb1, 0x41) == false);
  for (std::uint8_t v = 0x42; v <= 0x44; ++v) CHECK(sensor(0x03bb, 0xb1, v) == true);
  CHECK(sensor(0x03bb, 0xb1, 0x45) == false);
  CHECK_FALSE(sensor(0x03bb, 0xb1, 0x46).has_value());
}

TEST_CASE("a microwave is active while it heats or keeps warm") {
  const std::vector<std::uint8_t> active{0x41, 0x45, 0x46};
  for (std::uint8_t v = 0x40; v <= 0x47; ++v) {
    CHECK(sensor(0x03b8, 0xb1, v) == (std::find(active.begin(), active.end(), v) != active.end()));
  }
}

TEST_CASE("an open/close sensor without its second state is read by the first") {
  const class_info& info = info_of(0x0029);
  CHECK(sensor_epc_of(info, property_map{0x80, 0xb1, 0xe0}) == 0xb1);
  CHECK(sensor_epc_of(info, property_map{0x80, 0xe0}) == 0xe0);
  CHECK(sensor_epc_of(info, property_map{0x80}) == 0);
  CHECK(sensor_epc_of(info, std::nullopt) == 0xb1);
  CHECK(sensor(0x0029, 0xe0, 0x30) == false);
  for (std::uint8_t v = 0x31; v <= 0x39; ++v) CHECK(sensor(0x0029, 0xe0, v) == true);
}

TEST_CASE("power of a device: whole watts, markers are nothing") {
  CHECK(power(0x0602, 0x84, "0000") == 0);
  CHECK(power(0x0602, 0x84, "fffd") == 65'533);
  CHECK_FALSE(power(0x0602, 0x84, "fffe").has_value());
  CHECK_FALSE(power(0x0602, 0x84, "ffff").has_value());
  CHECK_FALSE(power(0x0602, 0x84, "00").has_value());
  CHECK_FALSE(power(0x0602, 0x84, "").has_value());
}

TEST_CASE("power of an energy sensor comes in three units") {
  CHECK(power(0x0022, 0xe1, "0000005a") == 90);
  CHECK(power(0x0022, 0xe1, "ffffffa6") == -90);
  for (const char* marker : {"7fffffff", "7ffffffe", "80000000"}) {
    CHECK_FALSE(power(0x0022, 0xe1, marker).has_value());
  }
  CHECK(power(0x0022, 0xe2, "0384") == 90);
  CHECK(power(0x0022, 0xe2, "0005") == 1);  // half a watt rounds away from zero
  CHECK(power(0x0022, 0xe2, "fffb") == -1);
  for (const char* marker : {"7fff", "7ffe", "8000"}) CHECK_FALSE(power(0x0022, 0xe2, marker).has_value());
  CHECK(power(0x0022, 0xe3, "0015") == 2'100);
  CHECK_FALSE(power(0x0022, 0x84, "0010").has_value());  // the sensor's own consumption
}

TEST_CASE("energy is Wh up to 999'999'999") {
  CHECK(decode_energy(*from_hex("00000000")) == 0u);
  CHECK(decode_energy(*from_hex("3b9ac9ff")) == 999'999'999u);
  for (const char* marker : {"3b9aca00", "fffffffe", "ffffffff", "000000", ""}) {
    CHECK_FALSE(decode_energy(*from_hex(marker)).has_value());
  }
  CHECK(energy_epc_of(info_of(0x0022), std::nullopt) == 0xe0);
  CHECK(energy_epc_of(info_of(0x05fd), std::nullopt) == 0x85);
  CHECK(energy_epc_of(info_of(0x05fd), property_map{0x80}) == 0);
}

TEST_CASE("a class nobody knows is read by the superclass") {
  const class_info& info = info_of(0x0130);
  CHECK(sensor_epc_of(info, std::nullopt) == 0);
  CHECK(power_epc_of(info, std::nullopt) == 0x84);
  CHECK(decode_operation_status(*from_hex("30")) == true);
  CHECK(decode_operation_status(*from_hex("31")) == false);
  CHECK_FALSE(decode_operation_status(*from_hex("41")).has_value());
  CHECK_FALSE(decode_operation_status(*from_hex("3030")).has_value());
}
