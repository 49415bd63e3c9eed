// Assertions that stay on in production.
//
// TOMO_REQUIRE  a broken invariant of shared state: logs to stderr and aborts; the watchdog restarts the daemon.
// TOMO_CHECK    a part that can be put aside: false is counted and told; the caller fences the part and goes on.
#pragma once

#include <cstdint>
#include <source_location>

namespace tomoshibi {

[[noreturn]] void require_failed(const char* what, std::source_location where) noexcept;
bool check_failed(const char* what, std::source_location where) noexcept;  // counts, tells stderr, returns false
std::uint64_t checks_failed() noexcept;                                    // since start; a metric, 0 in health

}  // namespace tomoshibi

#define TOMO_REQUIRE(cond) \
  ((cond) ? void(0) : ::tomoshibi::require_failed(#cond, std::source_location::current()))
#define TOMO_CHECK(cond) ((cond) ? true : ::tomoshibi::check_failed(#cond, std::source_location::current()))
