#include "tools/replay/options.hpp"

#include "tools/replay/iso_time.hpp"

#include <CLI/CLI.hpp>

#include <unistd.h>

namespace tomoshibi::replay {
namespace {

constexpr std::string_view time_form = "YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, with Z for UTC, years 1970 to 2199";

result<wall_at> time_option(std::string_view option, const std::string& text, std::chrono::minutes zone) {
  if (const auto at = parse_iso_time(text, zone)) return *at;
  return fail(errc::config_invalid, std::string(option) + " '" + text + "': allowed is " + std::string(time_form));
}

}  // namespace

void add_conductor_options(CLI::App& app, conductor_arguments& into) {
  app.add_option("--start", into.start, "Wall time at which the replay begins (" + std::string(time_form) + ")");
  app.add_option("--end", into.end, "Wall time at which it ends; without it, it ends on 'stop' or Ctrl-C");
  app.add_option("--speed", into.speed, "At most so many virtual seconds per real second; 0 = as fast as it goes")
      ->check(CLI::Range(0u, 1'000'000u));
  app.add_option("--then-speed", into.then_speed, "Do not stop at --end but go on at this speed (1 = real time)")
      ->check(CLI::Range(0u, 1'000'000u));
  app.add_option("--expect", into.expect, "Participants that have to be connected before time moves")
      ->check(CLI::Range(std::size_t{1}, participants_max));
  app.add_flag("--go-on-without", into.go_on_without,
               "When a participant vanishes, time goes on without it instead of waiting until it is back");
  app.add_option("--pause", into.pauses, "Stop at this wall time until 'go'; may be given several times")
      ->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_flag("--quiet", into.quiet, "No progress on standard error");
}

result<server_options> server_options_from(const conductor_arguments& arguments, std::chrono::minutes zone) {
  server_options out;
  out.socket_path = arguments.socket;
  conductor_options& c = out.conductor;
  if (arguments.start.empty()) return fail(errc::config_invalid, "--start is required");
  const auto start = time_option("--start", arguments.start, zone);
  if (!start) return std::unexpected(start.error());
  c.start = *start;
  if (!arguments.end.empty()) {
    const auto end = time_option("--end", arguments.end, zone);
    if (!end) return std::unexpected(end.error());
    if (*end <= c.start) return fail(errc::config_invalid, "--end has to be later than --start");
    c.end = *end;
  }
  if (arguments.then_speed > 0) c.speed_after_end = arguments.then_speed;
  for (const std::string& text : arguments.pauses) {
    const auto at = time_option("--pause", text, zone);
    if (!at) return std::unexpected(at.error());
    if (*at <= c.start || (c.end && *at > *c.end))
      return fail(errc::config_invalid, "--pause '" + text + "' has to be later than --start and not later than --end");
    c.pauses.push_back(*at);
  }
  c.speed = arguments.speed;
  c.expect = arguments.expect;
  c.wait_for_vanished = !arguments.go_on_without;
  out.progress = {.enabled = !arguments.quiet, .terminal = ::isatty(STDERR_FILENO) == 1, .zone = zone};
  return out;
}

}  // namespace tomoshibi::replay
