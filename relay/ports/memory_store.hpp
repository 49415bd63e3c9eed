// The store in memory: for tests and the simulator. Compact (12 bytes a cell) and quick; keeps everything it is given.
//
// Beside the port it lets a test register homes, look at what was written, and make commits and reads fail.
#pragma once

#include "relay/ports/store.hpp"

#include <array>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>

namespace tomoshibi::relay {

class memory_store final : public store {
public:
  // ---- the port
  result<directory> load_directory() override { return directory_; }
  result<std::vector<gateway_state>> load_gateways() override;
  result<std::vector<device_state>> load_devices() override;
  result<std::vector<recount_mark>> load_recounts() override;
  result<std::vector<episode>> load_open_episodes() override;
  result<std::vector<mail>> load_queued_mails() override;
  result<std::optional<episode>> find_episode(const episode_key& key) override;
  result<std::vector<contact_id>> told(const episode_key& key) override;
  result<std::optional<wall_at>> load_alive() override { return alive_; }
  result<day_cells> read_day(home_id home, appliance_id appliance, utc_day day) override;
  result<std::optional<utc_day>> newest_day(home_id home, appliance_id appliance) override;
  status commit(const write_batch& batch) override;

  // ---- for the test
  directory& edit_directory() { return directory_; }  // tell the core with on_directory_changed afterwards
  // Of days and episodes: after `good` more that succeed, so many fail.
  void fail_reads(std::uint32_t count, std::uint32_t good = 0) { fail_reads_ = count, good_reads_ = good; }
  void forget_device(home_id home, const std::string& device) { devices_.erase({home, device}); }  // as ctl does
  void fail_loads(bool fail) { fail_loads_ = fail; }              // of devices, marks and newest days
  void fail_commits(std::uint32_t count, error with = {errc::storage_io, "told to fail"});
  const std::map<episode_key, episode>& episodes() const { return episodes_; }
  const std::map<mail_key, mail>& mails() const { return mails_; }
  const std::map<std::pair<gateway_id, wall_at>, line_write>& lines() const { return lines_; }
  const std::map<std::tuple<gateway_id, outbox_epoch, record_seq>, event_write>& events() const { return events_; }
  const std::map<gateway_id, seen_write>& seen() const { return seen_; }
  std::size_t days_held() const { return days_.size(); }
  std::uint64_t days_read() const { return days_read_; }
  std::uint64_t commits() const { return commits_; }

private:
  struct packed_cell {
    std::uint32_t energy_wh = 0;
    std::uint16_t readings_expected = 0;
    std::uint16_t readings_got = 0;
    std::uint16_t on_seconds = 0;
    std::uint8_t state = 0;         // slot_state; 0 = not present
    std::uint8_t flags = 0;
  };
  using packed_day = std::array<packed_cell, slots_per_day>;
  using place = std::uint64_t;      // home, appliance, day

  bool read_fails();
  static packed_cell pack(const slot_cell& cell);
  static slot_cell unpack(const packed_cell& cell);
  static place place_of(home_id home, appliance_id appliance, utc_day day);
  packed_cell& cell_at(home_id home, appliance_id appliance, slot_index slot);
  bool known(home_id home) const { return directory_.homes.contains(home); }
  bool known(const gateway_id& gateway) const { return directory_.gateways.contains(gateway); }
  gateway_state& gateway(const gateway_id& id);

  void apply(const slots_write& w);
  void apply(const gap_write& w);
  void apply(const progress_write& w);
  void apply(const line_write& w);
  void apply(const seen_write& w);
  void apply(const device_write& w);
  void apply(const fault_write& w);
  void apply(const event_write& w);
  void apply(const episode_open_write& w);
  void apply(const episode_close_write& w);
  void apply(const mail_queue_write& w);
  void apply(const mail_result_write& w);
  void apply(const recount_write& w);
  void apply(const alive_write& w);

  directory directory_;
  std::unordered_map<place, std::unique_ptr<packed_day>> days_;
  std::map<std::pair<home_id, appliance_id>, utc_day> newest_;
  std::map<gateway_id, gateway_state> gateways_;
  std::map<std::pair<home_id, std::string>, device_state> devices_;
  std::map<episode_key, episode> episodes_;
  std::set<episode_key> open_;
  std::map<mail_key, mail> mails_;
  std::set<mail_key> queued_;
  std::map<std::pair<gateway_id, wall_at>, line_write> lines_;
  std::map<gateway_id, seen_write> seen_;
  std::map<std::tuple<gateway_id, outbox_epoch, record_seq>, event_write> events_;
  std::map<std::pair<home_id, appliance_id>, slot_index> recounts_;
  std::optional<wall_at> alive_;
  std::uint32_t fail_count_ = 0;
  std::uint32_t fail_reads_ = 0;
  std::uint32_t good_reads_ = 0;
  bool fail_loads_ = false;
  error fail_with_;
  std::uint64_t commits_ = 0;
  std::uint64_t days_read_ = 0;
};

}  // namespace tomoshibi::relay
