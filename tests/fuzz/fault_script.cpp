// Fault scripts are written by hand. Whatever the bytes: faults within their ranges, or complaints.
#include "protocol/base/bytes.hpp"
#include "protocol/base/check.hpp"
#include "tools/home/fault_script.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tomoshibi;
  using namespace tomoshibi::home;
  const auto got = parse_fault_script(as_text({data, size}), "faults.csv", std::chrono::minutes{0}, {"kitchen", "lounge"});
  if (!got) {
    TOMO_REQUIRE(got.error().code == errc::config_invalid && got.error().detail.starts_with("faults.csv:"));
    return 0;
  }
  TOMO_REQUIRE(got->size() <= faults_max);
  for (const scripted_fault& f : *got) {
    TOMO_REQUIRE(f.per_mille >= 1 && f.per_mille <= 1000);
    TOMO_REQUIRE(!f.until || *f.until > f.at);
  }
  return 0;
}
