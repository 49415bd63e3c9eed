// The mapping of a record to devices: any bytes give a household within its limits, or complaints that name the file.
#include "protocol/base/bytes.hpp"
#include "protocol/base/check.hpp"
#include "tools/home/mapping.hpp"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tomoshibi;
  using namespace tomoshibi::home;
  const auto got = parse_mapping(as_text({data, size}), "home.toml");
  if (!got) {
    TOMO_REQUIRE(got.error().code == errc::config_invalid && got.error().detail.starts_with("home.toml"));
    return 0;
  }
  TOMO_REQUIRE(got->nodes.size() <= nodes_max && got->devices.size() <= devices_max * nodes_max);
  for (const mapped_device& d : got->devices) {
    TOMO_REQUIRE(std::ranges::count(got->nodes, d.node, &mapped_node::name) == 1);
    TOMO_REQUIRE(d.hold_s <= hold_s_max && (d.eoj.value & 0xff) != 0 && d.eoj.value <= 0xffffff);
  }
  for (const mapped_node& n : got->nodes)
    TOMO_REQUIRE(std::ranges::count(got->nodes, n.address, &mapped_node::address) == 1);
  return 0;
}
