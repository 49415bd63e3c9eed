#include "protocol/base/check.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace tomoshibi {
namespace {

std::atomic<std::uint64_t> failed{0};
constexpr std::uint64_t told_max = 20;  // a check that fails in a loop must not fill the log

void tell(const char* kind, const char* what, std::source_location where) noexcept {
  std::fprintf(stderr, "lvl=error mod=check evt=%s what=\"%s\" at=%s:%u\n", kind, what, where.file_name(), where.line());
}

}  // namespace

void require_failed(const char* what, std::source_location where) noexcept {
  tell("require_failed", what, where);
  std::abort();
}

bool check_failed(const char* what, std::source_location where) noexcept {
  if (failed.fetch_add(1) < told_max) tell("check_failed", what, where);
  return false;
}

std::uint64_t checks_failed() noexcept { return failed.load(); }

}  // namespace tomoshibi
