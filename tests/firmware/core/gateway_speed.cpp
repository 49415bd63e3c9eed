// How much processor time the core takes for each event: 10 appliances read once a minute for 30 days, relay connected.
// Prints figures; fails only if an event costs more than a generous limit, so that a slow machine does not fail a build.
#include "tests/firmware/core/gateway_bench.hpp"
#include "tests/firmware/core/slots_support.hpp"

#include <chrono>
#include <cstdio>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

int main() {
  constexpr double microseconds_max = 50;
  gateway_bench b;
  std::vector<wire::watched_appliance> appliances;
  for (std::uint16_t i = 1; i <= 10; ++i) appliances.push_back(appliance(i, 0x060200u + i));
  b.setup.file_config = config_of(appliances);
  b.set_wall(in_slot(0, 0));
  b.start();
  std::uint64_t events = 0;
  const auto begun = std::chrono::steady_clock::now();
  while (b.wall() < in_slot(30 * slots_per_day, 0)) {
    for (std::uint32_t i = 1; i <= 10; ++i) {
      b.read(false, 100, 0x060200 + i);
      b.run_for(6s);
      ++events;
    }
  }
  const std::chrono::duration<double, std::micro> spent = std::chrono::steady_clock::now() - begun;
  const double each = spent.count() / static_cast<double>(events);
  std::printf("%llu readings, %.2f us each, %zu slots stored\n", static_cast<unsigned long long>(events), each,
              b.stored<wire::slot_closed>().size());
  return each < microseconds_max ? 0 : 1;
}
