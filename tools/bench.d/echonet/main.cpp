// bench-echonet: how fast our ECHONET Lite codec reads frames, and the poll cycle of ten adapters on one line of 9,600 bit/s in
// virtual time. One JSON object. The frame is the answer of an adapter with three properties, as echonet.js reads it.
#include "tests/drivers/echonet/virtual_lan.hpp"

#include <chrono>
#include <cstdio>

namespace {

using namespace tomoshibi;
using namespace tomoshibi::drivers;
using namespace tomoshibi::drivers::echonet;

constexpr std::uint8_t answer[] = {0x10, 0x81, 0x00, 0x01, 0x05, 0xfd, 0x01, 0x05, 0xff, 0x01, 0x72, 0x03, 0x80, 0x01,
                                   0x30, 0x84, 0x02, 0x00, 0x64, 0x85, 0x04, 0x00, 0x00, 0x12, 0x34};
constexpr int frames = 20'000'000;
constexpr int adapters = 10;
constexpr std::int64_t exchange_ms = 89;  // wire, link headers and turnaround of one Get and its answer

// Every property is looked at, so that nothing is left out as unused.
double frames_per_s() {
  std::uint64_t seen = 0;
  bytes frame{std::begin(answer), std::end(answer)};
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < frames; ++i) {
    frame[3] = static_cast<std::uint8_t>(i);
    const auto read = decode_frame(frame);
    if (!read) return 0;
    for (const property_view p : read->properties) seen += static_cast<std::uint64_t>(p.epc) + p.edt.back();
    seen += read->tid;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  return seen != 0 ? frames / took.count() : 0;
}

double cycle_ms() {
  test::virtual_lan lan{{.seed = 3, .delay = millis{0}, .line_bits_per_s = 9'600, .line_overhead = millis{22},
                         .driver_hears_itself = false}};
  for (int i = 0; i < adapters; ++i)
    lan.add("192.0.2." + std::to_string(10 + i), static_cast<std::uint64_t>(i) + 1).add_object({0x05fd01});
  read_plan plan = test::watch_all({0x05fd}, poll_interval_min);  // an interval that the line cannot keep
  plan.watches[0].wants_sensor_state = false;
  lan.start(plan);
  lan.run_for(5min);
  lan.forget_seen();
  lan.run_for(30min);
  const auto cycles = lan.readings(0x05fd01) / adapters;
  return cycles == 0 ? 0 : 30.0 * 60'000 / static_cast<double>(cycles);
}

}  // namespace

int main() {
  const double rate = frames_per_s();
  const double cycle = cycle_ms();
  std::printf("{\"frames_per_s\": %.0f, \"cycle_ms\": %.1f, \"model_ms\": %lld}\n", rate, cycle,
              static_cast<long long>(exchange_ms * adapters));
  return rate > 0 && cycle > 0 ? 0 : 1;
}
