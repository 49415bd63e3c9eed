// The relay's file of ticket keys, whatever became of it: understood and written the same, or refused with its line. The ring
// that comes of it can be turned at any time of the clock, and then seals with what it was given.
#include "protocol/adapters/ticket_keys.hpp"
#include "protocol/base/check.hpp"
#include "tests/fuzz/input.hpp"

#include <algorithm>

using namespace tomoshibi;

namespace {

constexpr std::size_t hex_digits = 64;

bool digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Whether a line may be a key: a second, plain reading. "-0" is a number that is not negative.
bool may_be_key(std::string_view line) {
  const auto space = line.find(' ');
  if (space == std::string_view::npos) return false;
  std::string_view made = line.substr(0, space);
  if (made == "-" || made.empty()) return false;
  if (made[0] == '-') {
    if (made.find_first_not_of('0', 1) != std::string_view::npos) return false;
    made.remove_prefix(1);
  }
  if (!digits(made)) return false;
  made.remove_prefix(std::min(made.find_first_not_of('0'), made.size()));
  constexpr std::string_view most = "9223372036854775807";
  if (made.size() > most.size() || (made.size() == most.size() && made > most)) return false;
  const auto secret = line.substr(space + 1);
  return secret.size() == hex_digits &&
         secret.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

// The number of the first line that is none, or one too many; 0: all are keys.
std::size_t first_bad_line(std::string_view text) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    if (number > ticket_keys_max || !may_be_key(text.substr(0, end))) return number;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return 0;
}

void check_turn(ticket_keys keys, wall_at now, std::uint8_t fill) {
  ticket_key::secret_bytes secret{};
  secret.fill(fill);
  const auto before = keys.newest_first();
  keys.turn(now, secret);
  const auto& after = keys.newest_first();
  TOMO_REQUIRE(!after.empty() && after.size() <= ticket_keys_max && after.size() <= before.size() + 1);
  const ticket_key newest{.made = now, .secret = secret};
  TOMO_REQUIRE(after.front() == newest);
  for (std::size_t i = 1; i < after.size(); ++i) {
    TOMO_REQUIRE(after[i].made <= now + ticket_clock_slack);
    TOMO_REQUIRE(std::ranges::find(before, after[i]) != before.end());
  }
  TOMO_REQUIRE(!keys.due(now) && keys.due(now + ticket_key_turn));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in{data, size};
  const wall_at now = wall_from_ms(static_cast<std::int64_t>(in.number() >> 20));  // a clock within 500 years
  const std::string_view text = as_text(in.rest());

  const auto keys = ticket_keys::parse(text);
  const std::size_t bad = first_bad_line(text);
  TOMO_REQUIRE(keys.has_value() == (bad == 0));
  if (!keys) {
    TOMO_REQUIRE(keys.error().code == errc::storage_corrupt);
    TOMO_REQUIRE(keys.error().detail == "line " + std::to_string(bad) + " of the ticket keys");
    return 0;
  }
  const auto again = ticket_keys::parse(keys->text());
  TOMO_REQUIRE(again.has_value() && again->newest_first() == keys->newest_first() && again->text() == keys->text());
  TOMO_REQUIRE(keys->newest_first().size() <= ticket_keys_max);
  if (keys->newest_first().empty()) TOMO_REQUIRE(keys->due(now));
  check_turn(*keys, now, static_cast<std::uint8_t>(size));
  return 0;
}
