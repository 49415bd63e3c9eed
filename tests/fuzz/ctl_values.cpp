// Values of tomoshibi-ctl's command line: what is taken is within what the error would have named, prints as it was
// written (or as its usual form, which is read to the same), and what is refused names the option.
#include "protocol/base/check.hpp"
#include "relay/core/plain_text.hpp"
#include "relay/ctl/parse.hpp"
#include "tests/fuzz/input.hpp"

using namespace tomoshibi;
using namespace tomoshibi::ctl;

namespace {

constexpr const char* option = "--thing";

template <class T>
bool taken(const result<T>& r) {
  if (r) return true;
  TOMO_REQUIRE(r.error().code == errc::config_invalid && r.error().detail.starts_with("--thing: "));
  return false;
}

// Digits and a sign, no more than 18 of them: everything that fits, read the plain way.
std::optional<std::int64_t> plain_integer(std::string_view text) {
  const bool minus = text.starts_with('-');
  if (minus) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  std::int64_t v = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    v = v * 10 + (c - '0');
    if (v > 1'000'000'000'000) v = 1'000'000'000'000;
  }
  return minus ? -v : v;
}

void check_integer(std::string_view text) {
  const auto got = parse_integer(option, text, -60, 100'000);
  const auto plain = plain_integer(text);
  const bool fits = plain && *plain >= -60 && *plain <= 100'000;
  TOMO_REQUIRE(taken(got) == fits && (!fits || *got == *plain));
}

void check_name(std::string_view text) {
  const auto got = parse_name(option, text, 80);
  if (!taken(got)) return;
  TOMO_REQUIRE(*got == text && !text.empty() && text.size() <= 80 && relay::valid_utf8(text));
  for (const char c : text) TOMO_REQUIRE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

void check_zone(std::string_view text) {
  const auto got = parse_zone(option, text);
  if (!taken(got)) return;
  TOMO_REQUIRE(*got % 15 == 0 && *got >= -720 && *got <= 840);
  TOMO_REQUIRE(text == "Z" || text == "-00:00" || format_zone(*got) == text);
}

void check_times(std::string_view text) {
  const auto date = parse_date(option, text);
  if (taken(date)) TOMO_REQUIRE(format_local(wall_at{*date}, 0) == std::string(text) + " 00:00");
  const auto at = parse_utc(option, text);
  if (!taken(at)) return;
  TOMO_REQUIRE(to_ms(*at) >= 0);
  std::string minute = format_local(*at, 0);
  minute[10] = 'T';
  TOMO_REQUIRE(text.starts_with(minute + ":"));
  const auto seconds = std::chrono::floor<std::chrono::seconds>(*at);
  TOMO_REQUIRE(seconds.time_since_epoch().count() % 60 == (text[17] - '0') * 10 + (text[18] - '0'));
}

void check_duration(std::string_view text) {
  const auto got = parse_duration(option, text, 45min, 30 * 24h);
  if (!taken(got)) return;
  TOMO_REQUIRE(*got >= 45min && *got <= 30 * 24h);
  const auto again = parse_duration(option, format_duration(*got), 45min, 30 * 24h);
  TOMO_REQUIRE(again.has_value() && *again == *got);
}

void check_quiet_hours(std::string_view text) {
  const auto got = parse_quiet_hours(option, text);
  if (!taken(got)) return;
  TOMO_REQUIRE(got->from_min < 1440 && got->until_min < 1440);
  const auto again = parse_quiet_hours(option, format_quiet_hours(*got));
  TOMO_REQUIRE(again.has_value() && *again == *got);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text({data, size});
  check_integer(text);
  check_name(text);
  check_zone(text);
  check_times(text);
  check_duration(text);
  check_quiet_hours(text);
  if (taken(parse_language(option, text))) TOMO_REQUIRE(name_of(*parse_language(option, text)) == text);
  if (taken(parse_role(option, text))) TOMO_REQUIRE(name_of(*parse_role(option, text)) == text);
  return 0;
}
