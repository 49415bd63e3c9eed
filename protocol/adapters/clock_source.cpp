#include "protocol/adapters/clock_source.hpp"

#include <ctime>
#include <sys/timex.h>

namespace tomoshibi {
namespace {

std::int64_t read_us(clockid_t id) {
  timespec t{};
  clock_gettime(id, &t);
  return std::int64_t{t.tv_sec} * 1'000'000 + t.tv_nsec / 1'000;
}

std::int64_t read_ms(clockid_t id) { return read_us(id) / 1'000; }

// The kernel clears STA_UNSYNC while a time service keeps the estimated error in bounds, and sets it again when the
// service stops (adjtimex(2)).
bool disciplined() {
  timex request{};
  return adjtimex(&request) != TIME_ERROR && (request.status & STA_UNSYNC) == 0;
}

}  // namespace

mono_time system_clock_source::now() const { return mono_from_ms(read_ms(CLOCK_MONOTONIC)); }

mono_exact system_clock_source::exact() const { return mono_exact{std::chrono::microseconds{read_us(CLOCK_MONOTONIC)}}; }

wall_time system_clock_source::wall() const { return {wall_from_ms(read_ms(CLOCK_REALTIME)), disciplined()}; }

}  // namespace tomoshibi
