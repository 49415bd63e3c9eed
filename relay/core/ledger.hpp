// The facts the relay keeps beside the directory, as values: slot cells, line states, episodes, mails.
#pragma once

#include "protocol/base/ids.hpp"
#include "protocol/base/slot.hpp"
#include "protocol/wire/messages.hpp"

#include <array>
#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace tomoshibi::relay {

// One slot of one appliance as stored. `present == false`: nothing has arrived (yet); reads as unknown.
struct slot_cell {
  bool present = false;
  slot_state state = slot_state::unknown;
  bool time_uncertain = false;
  std::uint16_t on_seconds = 0;
  std::optional<std::uint32_t> energy_wh;
  bool energy_after_gap = false;
  std::uint16_t readings_expected = 0;
  std::uint16_t readings_got = 0;
  bool operator==(const slot_cell&) const = default;
};

enum class utc_day : std::int32_t {};  // days since 1970-01-01
constexpr utc_day day_of(slot_index s) {
  return utc_day{s.value >= 0 ? s.value / slots_per_day : -((-s.value + slots_per_day - 1) / slots_per_day)};
}
constexpr slot_index first_slot_of(utc_day d) { return {static_cast<std::int32_t>(d) * slots_per_day}; }
using day_cells = std::array<slot_cell, slots_per_day>;

// Which of two reports of one slot stands: the first, but a certain time replaces an uncertain one. Idempotent.
bool replaces(const slot_cell& stored, const slot_cell& arrived);

// What a record says of one slot, as a cell. A gap only fills cells that are not present.
slot_cell cell_from(const wire::slot_closed& slot, const wire::appliance_slot& a);
slot_cell cell_from(const wire::slot_gap& gap);

// ---- episodes: something began, and it ends; each makes one notice at its opening and one all-clear at its end.

enum class episode_kind : std::uint8_t {
  unused = 1,        // an appliance with a rule was quiet for its days        -> family
  blind_family,      // we cannot judge, for the home's family time            -> family
  blind_provider,    // we cannot judge, for the shorter provider time         -> provider
  device_fault,      // a watched device reports a fault (0x88)                -> family and provider
  device_silent,     // a watched device does not answer, the line is up      -> provider, family
};

enum class blind_cause : std::uint8_t { none, line_down, gateway_off, device_silent, relay_off, no_data };

std::string_view name_of(episode_kind kind);   // "unused" "blind_family" ... for logs, metrics, JSON
std::string_view name_of(blind_cause cause);   // "none" "line_down" ...

// The natural key: the same facts give the same key after any restart, so an insert of a known episode changes nothing.
struct episode_key {
  home_id home{};
  episode_kind kind{};
  appliance_id appliance{};  // 0 = the whole home
  slot_index since;          // first slot of the quiet / blind / faulty stretch
  friend auto operator<=>(const episode_key&, const episode_key&) = default;
};

struct episode {
  episode_key key;
  std::optional<slot_index> last_use;  // unused: last slot with use; nothing = none since watching began
  std::int32_t off_slots = 0;          // unused: slots known quiet when it opened
  std::int32_t unknown_slots = 0;      // unused: slots between last use and opening that nobody could see
  blind_cause cause = blind_cause::none;
  wall_at opened{};                    // when the relay concluded it
  std::optional<wall_at> closed;
  std::optional<slot_index> closed_by; // the slot with use / sight again
  bool cancelled = false;              // ended by a setting (rule or watch mode removed): no all-clear is sent
};

// ---- mails

enum class mail_edge : std::uint8_t { opened = 1, closed = 2, test = 3 };
enum class mail_state : std::uint8_t { queued = 1, sent = 2, given_up = 3, cancelled = 4 };

// At most one mail for each key, ever: this is what "one mail per episode" means in the store.
struct mail_key {
  episode_key episode;
  mail_edge edge = mail_edge::opened;
  contact_id to{};
  friend auto operator<=>(const mail_key&, const mail_key&) = default;
};

struct mail {
  mail_key key;
  mail_state state = mail_state::queued;
  bool urgent = false;                 // quiet hours do not hold it
  wall_at queued{};
  wall_at not_before{};                // retry time or end of quiet hours
  std::uint32_t attempts = 0;
  std::string subject;                 // UTF-8, one line; composed when queued, so that a retry sends the same text
  std::string body;                    // UTF-8, LF lines
  std::string message_id;              // without < >; stable over retries
  std::string last_error;              // server reply without addresses
};

}  // namespace tomoshibi::relay
