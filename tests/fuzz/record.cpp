// Records come from whoever recorded a home. Whatever the bytes: a record that keeps its promises, or complaints.
#include "protocol/base/bytes.hpp"
#include "protocol/base/check.hpp"
#include "tools/home/record.hpp"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tomoshibi;
  using namespace tomoshibi::home;
  const std::string_view text = as_text({data, size});
  for (const char* home : {"", "h1"}) {
    const auto got = parse_record(text, "record.csv", {.zone = std::chrono::minutes{540}, .home = home});
    if (!got) {
      TOMO_REQUIRE(got.error().code == errc::config_invalid && got.error().detail.starts_with("record.csv:"));
      continue;
    }
    TOMO_REQUIRE(!got->events.empty() && got->channels.size() <= channels_max);
    TOMO_REQUIRE(std::ranges::is_sorted(got->events, {}, &record_event::at));
    for (const record_event& e : got->events) TOMO_REQUIRE(e.channel < got->channels.size() && e.value <= value_max);
  }
  return 0;
}
