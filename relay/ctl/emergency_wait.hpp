// Asks the running relay for something of the emergency part, and follows in its book what becomes of it.
#pragma once

#include "relay/ctl/registry.hpp"
#include "relay/ports/emergency_requests.hpp"
#include "relay/shell/sqlite_emergency_book.hpp"

#include <chrono>
#include <memory>
#include <optional>

namespace tomoshibi::ctl {

// The request's id, once it is durable. Errors: net_unreachable (the relay does not run), what the relay answered.
result<std::uint64_t> ask_emergency(const context& c, const relay::emergency_request& what);

// What a home without an account at the guard centre cannot have: drill, test, visit. refused, with what to do about it.
status has_account(const registry& r, home_id home);

// Reads the book again and again, for at most `patience` of the machine's time.
class book_watch {
public:
  static result<book_watch> open(const context& c, millis patience);

  relay::emergency_book& book() { return *book_; }
  bool over() const { return std::chrono::steady_clock::now() >= until_; }
  // Sleeps a little; false: the patience is over.
  bool again() const;
  // "  12.3 s  text", since the watch began.
  void tell(std::string_view text) const;

private:
  book_watch(std::unique_ptr<relay::sqlite_emergency_book> book, millis patience);
  std::unique_ptr<relay::sqlite_emergency_book> book_;
  std::chrono::steady_clock::time_point began_;
  std::chrono::steady_clock::time_point until_;
};

// Nothing more will be known of it. A drill ends with the acknowledgement; the box's report of what it shows comes after that.
bool drill_is_whole(const relay::drill_row& drill, const std::optional<relay::press_row>& press);

// --timeout: seconds, 1 to 600.
result<millis> read_timeout(const context& c, std::string_view otherwise);

}  // namespace tomoshibi::ctl
