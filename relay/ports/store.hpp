// The relay's durable memory behind a port: SQLite today, another engine when a provider grows.
//
// Two sides. Reads are synchronous and belong to the reactor thread. Writes are batches: commit() applies one batch as
// one transaction and may be called on a worker; nothing is acknowledged to anybody before it returned success.
// Every write is idempotent by its key, so a batch that was committed but whose answer was lost may be applied again.
// One contract test suite (tests/relay/store_contract.cpp) runs against every implementation.
#pragma once

#include "protocol/base/result.hpp"
#include "relay/core/directory.hpp"
#include "relay/core/ledger.hpp"

#include <variant>
#include <vector>

namespace tomoshibi::relay {

// ---- writes

struct slots_write {                    // merges by replaces()
  home_id home{};
  wire::slot_closed slot;
};
struct gap_write {                      // present, unknown; never replaces a present cell
  home_id home{};
  wire::slot_gap gap;
};
struct progress_write {                 // the highest contiguous sequence committed; never goes back within an epoch
  gateway_id gateway;
  outbox_epoch epoch{};
  record_seq acked = 0;
};
enum class line : std::uint8_t { up = 1, down = 2 };
struct line_write {                     // one row per change, key (gateway, since)
  gateway_id gateway;
  line state = line::up;
  wall_at since{};                      // down: when it was last heard
  wall_at known{};                      // when the relay concluded it
};
struct seen_write {                     // last heard; batched, not per message
  gateway_id gateway;
  wall_at heard{};
  std::string firmware_version;
  std::uint32_t config_version = 0;
};
struct device_write {
  home_id home{};
  wire::device_report report;
  wall_at at{};
};
struct fault_write {
  home_id home{};
  wire::device_fault fault;
  wall_at at{};
};
struct event_write {                    // key (gateway, epoch, seq)
  gateway_id gateway;
  outbox_epoch epoch{};
  record_seq seq = 0;
  wire::event event;
  wall_at at{};
};
struct episode_open_write { episode what; };
struct episode_close_write {
  episode_key key;
  wall_at closed{};
  std::optional<slot_index> closed_by;
  bool cancelled = false;
};
struct mail_queue_write { mail what; };  // does nothing if the key exists
struct mail_result_write {
  mail_key key;
  mail_state state{};
  std::uint32_t attempts = 0;
  wall_at not_before{};
  std::string last_error;
};
struct recount_write {                  // late slots: this appliance's stretch is still to be counted again, from the last
  home_id home{};                       // use before that slot; nothing: it was
  appliance_id appliance{};
  std::optional<slot_index> from;
};
struct alive_write { wall_at at{}; };    // the relay ran until here: at start the difference is its own outage

using write = std::variant<slots_write, gap_write, progress_write, line_write, seen_write, device_write, fault_write,
                           event_write, episode_open_write, episode_close_write, mail_queue_write, mail_result_write,
                           recount_write, alive_write>;
using write_batch = std::vector<write>;

// ---- what is read back at start

struct gateway_state {
  gateway_id id;
  outbox_epoch epoch{};
  record_seq acked = 0;
  std::optional<wall_at> heard;
  line last_line = line::down;
  wall_at line_since{};
};
struct device_state {
  home_id home{};
  std::string device;
  std::optional<appliance_id> appliance;
  bool silent = false;
  bool faulty = false;
  wall_at since{};
};

struct recount_mark {
  home_id home{};
  appliance_id appliance{};
  slot_index from;
};

class store {
public:
  virtual ~store() = default;

  virtual result<directory> load_directory() = 0;
  virtual result<std::vector<gateway_state>> load_gateways() = 0;
  virtual result<std::vector<device_state>> load_devices() = 0;
  virtual result<std::vector<recount_mark>> load_recounts() = 0;
  virtual result<std::vector<episode>> load_open_episodes() = 0;
  virtual result<std::vector<mail>> load_queued_mails() = 0;
  // An episode by its key, open or not: a rule that comes to a known conclusion again must not tell it again.
  virtual result<std::optional<episode>> find_episode(const episode_key& key) = 0;
  // To whom the opening of this episode was written (a mail with edge opened exists, in whatever state), ascending.
  virtual result<std::vector<contact_id>> told(const episode_key& key) = 0;
  virtual result<std::optional<wall_at>> load_alive() = 0;
  // All 96 cells; cells that never arrived have present == false.
  virtual result<day_cells> read_day(home_id home, appliance_id appliance, utc_day day) = 0;
  // The newest day with at least one present cell, nothing if there is none.
  virtual result<std::optional<utc_day>> newest_day(home_id home, appliance_id appliance) = 0;

  virtual status commit(const write_batch& batch) = 0;
};

}  // namespace tomoshibi::relay
