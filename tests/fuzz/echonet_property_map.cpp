// A property map from any device: read to a set that writes and reads the same.
#include "drivers/echonet/property_map.hpp"
#include "protocol/base/check.hpp"

using namespace tomoshibi;
using namespace tomoshibi::drivers::echonet;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto map = property_map::decode({data, size});
  TOMO_REQUIRE(map.has_value() == (size > 0));
  if (!map) return 0;
  bytes written;
  map->encode(written);
  TOMO_REQUIRE(written.size() <= 17);
  TOMO_REQUIRE(*property_map::decode(written) == *map);
  return 0;
}
