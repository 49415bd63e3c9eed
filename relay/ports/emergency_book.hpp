// What the emergency thread keeps of presses, of what the guard centres were told, and of whom it wrote to: a file of its
// own, so that no slot, report or page ever stands before a press (ADR 12).
//
// Synchronous: the desk works on it directly, and commit() is durable when it returns. That fsync is the relay's whole part of
// the time between a press and "received by the service"; all that came in one turn shares one. A commit that fails has
// changed nothing. Every row is written whole and by its key, so the same batch may be applied again.
// One thread. One contract test suite (tests/relay/emergency_book_contract.cpp) runs against every implementation.
#pragma once

#include "protocol/base/ids.hpp"
#include "protocol/base/press.hpp"
#include "protocol/base/result.hpp"
#include "protocol/base/time.hpp"
#include "protocol/dc09/content.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

namespace tomoshibi::relay {

// A press, key id. Of a test too: `test` is never taken off.
struct press_row {
  press_id id{};
  home_id home{};
  gateway_id gateway = {};
  press_source source = press_source::button;
  std::string button = {};
  bool test = false;
  std::optional<std::uint64_t> request = {};      // the drill it answers
  std::optional<wall_at> occurred = {};           // by the gateway's clock; nothing: it knew no time
  wall_at known{};                           // when the relay first heard of it, by its own clock
  bool reported_first = false;               // known by its report alone: it never came over the lane as a press
  press_stage stage = press_stage::received; // received or accepted
  std::optional<wall_at> accepted = {};           // when the relay learnt that the centre has it
  press_path path = press_path::none;        // which acknowledgement was first known here
  std::uint8_t receiver = 0;                 // 1, 2 ... in order of the settings, by our own link; 0: not by it
  std::optional<wall_at> alarmed = {};            // the operator was told that it is not accepted
  // the gateway's report, times since the press by the gateway's one monotonic clock
  std::optional<wall_at> reported = {};           // of an accepted press: final
  press_path reported_path = press_path::none;
  bool was_undelivered = false;              // the panel said so meanwhile
  bool interrupted = false;                  // the box began anew meanwhile: no times
  std::optional<std::uint32_t> durable_us = {}, received_us = {}, accepted_us = {}, shown_us = {};
  std::optional<wall_at> closed = {};             // nothing more is waited for: reported and accepted, or a drill that ran out
  bool operator==(const press_row&) const = default;
};

enum class guard_event_id : std::uint64_t {};  // 1, 2, 3 ...
enum class guard_event_state : std::uint8_t {
  waiting = 1,
  delivered,      // by a judged ACK, which is durable with this state
  refused,        // every receiver said that it cannot process it
  given_up,       // a test whose time is over, or a trouble that had gone before it was told
};

struct guard_event_row {
  guard_event_id id{};
  home_id home{};
  std::string account = {};                       // that it was made for
  std::uint16_t sequence = 1;                // 1..9999, going round within the account
  dc09::signal what = {};
  std::string reference = {};                     // 16 digits: the name of the press or request, else random
  std::optional<wall_at> occurred = {};
  bool urgent = false;
  wall_at made{};
  guard_event_state state = guard_event_state::waiting;
  std::optional<wall_at> ended = {};
  std::uint8_t receiver = 0;                 // as above, of a delivered one
  bool operator==(const guard_event_row&) const = default;
};

// What is watched of a home, key home. The row begins with the first lane of one of its gateways.
struct watch_row {
  home_id home{};
  bool lost = false;                         // no lane for line_lost_after: 350 was begun
  wall_at since{};                           // of this state
  guard_event_id told{};                     // the event that said lost; 0: none, there was no account
  std::int32_t tested_day = 0;               // days since 1970 UTC of the last daily test; 0: none yet
  bool operator==(const watch_row&) const = default;
};

std::string_view name_of(trouble_kind kind); // "button_stuck" ...

// Key (gateway, kind, button, since); one without `ended` is on now.
struct trouble_row {
  home_id home{};
  gateway_id gateway = {};
  trouble_kind kind{};
  std::string button = {};
  wall_at since{};
  std::optional<wall_at> ended = {};
  bool operator==(const trouble_row&) const = default;
};

// An alert of the three-day rule that the centre was told of, key (home, appliance, since).
struct alert_row {
  home_id home{};
  appliance_id appliance{};
  std::int32_t since = 0;                    // slot: with home and appliance the key of the episode
  wall_at begun{};
  std::optional<wall_at> ended = {};
  bool operator==(const alert_row&) const = default;
};

enum class dispatch_id : std::uint64_t {};   // random, not 0: it names the request at the guard centre too
// The family asks for a visit.
struct dispatch_row {
  dispatch_id id{};
  home_id home{};
  std::string who = {};                           // as the caller gave it; never in a log
  std::string reason = {};
  wall_at asked{};
  std::optional<wall_at> accepted = {};           // the guard centre has it
  std::optional<wall_at> alarmed = {};            // the operator was told that it is not accepted
  bool operator==(const dispatch_row&) const = default;
};

// A drill that an operator began, key request.
struct drill_row {
  std::uint64_t request = 0;                 // random, not 0
  home_id home{};
  gateway_id gateway = {};
  wall_at asked{};
  std::optional<press_id> press = {};             // the gateway's answer
  std::optional<wall_at> ended = {};
  bool answered = false;                     // the guard centre's acknowledgement was in time
  bool operator==(const drill_row&) const = default;
};

enum class emergency_notice : std::uint8_t {
  press = 1,            // a press is known; the text says whether the centre has it
  press_accepted,       // the centre has it
  press_not_accepted,   // family and provider (a drill: provider): nobody acknowledged it in time
  press_no_centre,      // provider: the home has no guard account
  trouble,              // provider
  trouble_ended,        // provider
  event_refused,        // provider: every receiver refuses an event
  dispatch,             // family and provider
  dispatch_accepted,
  dispatch_not_accepted,// provider
  drill_unanswered,     // provider: no press came, or the centre did not acknowledge it
};
std::string_view name_of(emergency_notice kind);

// A mail, key (kind, about, to): at most one for each, ever.
struct emergency_mail_key {
  emergency_notice kind{};
  std::uint64_t about = 0;                   // press, dispatch, drill request, an event's reference, or made of a trouble's key
  contact_id to{};
  friend auto operator<=>(const emergency_mail_key&, const emergency_mail_key&) = default;
};
enum class emergency_mail_state : std::uint8_t { queued = 1, sent, given_up };
struct emergency_mail_row {
  emergency_mail_key key = {};
  home_id home{};
  emergency_mail_state state = emergency_mail_state::queued;
  wall_at queued{};
  wall_at not_before{};                      // of the next try
  std::uint32_t attempts = 0;
  std::string subject = {};                       // composed when queued, so that a retry sends the same text; empty when over
  std::string body = {};
  std::string message_id = {};                    // without < >
  std::string last_error = {};                    // the server's reply without addresses
  bool operator==(const emergency_mail_row&) const = default;
};

using emergency_write = std::variant<press_row, guard_event_row, watch_row, trouble_row, alert_row, dispatch_row, drill_row,
                                     emergency_mail_row>;
using emergency_batch = std::vector<emergency_write>;

// What became of the book since the last start. Gateways send again what they hold; requests for a visit and reports are lost.
enum class book_loss : std::uint8_t {
  none,
  unreadable,           // put aside as <file>.corrupt, a new one began
  missing,              // gone or empty, a new one began
  another,              // the file is another than at the last start
  log_missing,          // the file is there without its log
};
std::string_view words_of(book_loss loss);   // a sentence for an operator

// What the desk needs to go on after a start.
struct emergency_state {
  std::vector<press_row> presses = {};            // not closed, by known
  std::vector<guard_event_row> events = {};       // waiting, by id
  std::vector<watch_row> watches = {};
  std::vector<trouble_row> troubles = {};         // on now
  std::vector<alert_row> alerts = {};             // not ended
  std::vector<dispatch_row> dispatches = {};      // not accepted
  std::vector<drill_row> drills = {};             // not ended
  std::vector<emergency_mail_row> mails = {};     // queued
  std::map<std::string, std::uint16_t> sequences = {};  // the last one of each account
  guard_event_id last_event{};
  book_loss lost = book_loss::none;          // told once
};

// Ended rows are kept for the report: so long, and at most so many of each kind (the oldest go first).
inline constexpr millis emergency_history = 400 * 24h;
inline constexpr std::size_t emergency_rows_max = 200'000;
inline constexpr std::size_t who_bytes_max = 120;     // of a dispatch request
inline constexpr std::size_t reason_bytes_max = 400;

class emergency_book {
public:
  virtual ~emergency_book() = default;
  virtual result<emergency_state> load() = 0;
  virtual status commit(const emergency_batch& batch) = 0;
  // What ended longer ago than emergency_history; and the oldest of what is over, where a kind has more than `most` rows.
  virtual status drop_old(wall_at now, std::size_t most) = 0;
  // What a commit leaves to be done when everybody has got an answer. `calm`: nothing has happened for a moment; else only what
  // must not grow any more is done.
  virtual void rest(bool /*calm*/) {}

  virtual result<std::optional<press_row>> find_press(press_id id) = 0;
  virtual result<std::optional<alert_row>> find_alert(home_id home, appliance_id appliance, std::int32_t since) = 0;
  virtual result<std::optional<dispatch_row>> find_dispatch(dispatch_id id) = 0;
  virtual result<std::optional<drill_row>> find_drill(std::uint64_t request) = 0;

  // For the report, oldest first, at most `most`: presses by `known`, events by `made`, in [from, until).
  virtual result<std::vector<press_row>> presses(wall_at from, wall_at until, std::size_t most) = 0;
  virtual result<std::vector<guard_event_row>> events(wall_at from, wall_at until, std::size_t most) = 0;
};

}  // namespace tomoshibi::relay
