#include "relay/ctl/emergency_wait.hpp"

#include "relay/ctl/parse.hpp"
#include "relay/ctl/relay_link.hpp"
#include "relay/shell/control_line.hpp"

#include <cstdio>
#include <thread>

namespace tomoshibi::ctl {
namespace {

constexpr millis look_every = 100ms;

}  // namespace

result<std::uint64_t> ask_emergency(const context& c, const relay::emergency_request& what) {
  const auto line = ask_relay(c.folder.control_socket(), relay::write_control_line(what));
  if (line) return relay::read_control_answer(*line);
  if (line.error().code == errc::net_unreachable)
    return fail(errc::net_unreachable, "the relay does not run in " + c.folder.path + "; this needs it");
  return std::unexpected(line.error());
}

status has_account(const registry& r, home_id home) {
  if (r.directory().guards.contains(home)) return {};
  return fail(errc::refused, relay::no_account_text(home));
}

book_watch::book_watch(std::unique_ptr<relay::sqlite_emergency_book> book, millis patience)
    : book_(std::move(book)), began_(std::chrono::steady_clock::now()), until_(began_ + patience) {}

result<book_watch> book_watch::open(const context& c, millis patience) {
  auto book = relay::sqlite_emergency_book::open(c.folder.emergency_database(), {.read_only = true});
  if (!book) return std::unexpected(book.error());
  return book_watch(std::move(*book), patience);
}

bool book_watch::again() const {
  if (over()) return false;
  std::this_thread::sleep_for(look_every);
  return true;
}

void book_watch::tell(std::string_view text) const {
  const std::chrono::duration<double> since = std::chrono::steady_clock::now() - began_;
  char at[32];
  std::snprintf(at, sizeof at, "%6.1f s  ", since.count());
  context::say_now(std::string(at).append(text));
}

bool drill_is_whole(const relay::drill_row& drill, const std::optional<relay::press_row>& press) {
  if (press && press->stage == press_stage::accepted) return press->reported.has_value();
  return drill.ended.has_value();
}

result<millis> read_timeout(const context& c, std::string_view otherwise) {
  const auto seconds = parse_integer("--timeout", c.text("--timeout", std::string(otherwise)), 1, 600);
  if (!seconds) return std::unexpected(seconds.error());
  return millis{*seconds * 1000};
}

}  // namespace tomoshibi::ctl
