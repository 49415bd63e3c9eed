// The emergency book in memory: for tests and the simulator. Keeps everything it is given over a "restart" of the desk.
//
// Beside the port it lets a test look at the rows and make commits and loads fail.
#pragma once

#include "relay/ports/emergency_book.hpp"

#include <functional>
#include <map>

namespace tomoshibi::relay {

class memory_emergency_book final : public emergency_book {
public:
  // ---- the port
  result<emergency_state> load() override;
  status commit(const emergency_batch& batch) override;
  status drop_old(wall_at now, std::size_t most) override;
  result<std::optional<press_row>> find_press(press_id id) override;
  result<std::optional<alert_row>> find_alert(home_id home, appliance_id appliance, std::int32_t since) override;
  result<std::optional<dispatch_row>> find_dispatch(dispatch_id id) override;
  result<std::optional<drill_row>> find_drill(std::uint64_t request) override;
  result<std::vector<press_row>> presses(wall_at from, wall_at until, std::size_t most) override;
  result<std::vector<guard_event_row>> events(wall_at from, wall_at until, std::size_t most) override;

  // ---- for the test
  // So many commits fail after `good` that succeed.
  void fail_commits(std::uint32_t count, std::uint32_t good = 0, error with = {errc::storage_io, "told to fail"});
  void fail_reads(bool fail) { fail_reads_ = fail; }
  // Called before each commit; true: it fails. For a kill at every call.
  std::function<bool()> before_commit;
  std::uint64_t commits() const { return commits_; }
  const std::map<press_id, press_row>& all_presses() const { return presses_; }
  const std::map<guard_event_id, guard_event_row>& all_events() const { return events_; }
  const std::map<home_id, watch_row>& all_watches() const { return watches_; }
  const std::map<emergency_mail_key, emergency_mail_row>& all_mails() const { return mails_; }
  const std::map<dispatch_id, dispatch_row>& all_dispatches() const { return dispatches_; }
  const std::map<std::uint64_t, drill_row>& all_drills() const { return drills_; }

private:
  using trouble_key = std::tuple<gateway_id, trouble_kind, std::string, wall_at>;
  using alert_key = std::tuple<home_id, appliance_id, std::int32_t>;
  struct sequence {
    std::uint16_t last = 0;
    guard_event_id event{};
  };
  void put(const press_row& r) { presses_[r.id] = r; }
  void put(const guard_event_row& r);
  void put(const watch_row& r) { watches_[r.home] = r; }
  void put(const trouble_row& r) { troubles_[{r.gateway, r.kind, r.button, r.since}] = r; }
  void put(const alert_row& r) { alerts_[{r.home, r.appliance, r.since}] = r; }
  void put(const dispatch_row& r) { dispatches_[r.id] = r; }
  void put(const drill_row& r) { drills_[r.request] = r; }
  void put(const emergency_mail_row& r) { mails_[r.key] = r; }

  std::map<press_id, press_row> presses_;
  std::map<guard_event_id, guard_event_row> events_;
  std::map<std::string, sequence> sequences_;
  std::map<home_id, watch_row> watches_;
  std::map<trouble_key, trouble_row> troubles_;
  std::map<alert_key, alert_row> alerts_;
  std::map<dispatch_id, dispatch_row> dispatches_;
  std::map<std::uint64_t, drill_row> drills_;
  std::map<emergency_mail_key, emergency_mail_row> mails_;
  std::uint64_t commits_ = 0;
  std::uint32_t fail_commits_ = 0;
  std::uint32_t good_commits_ = 0;
  error fail_with_;
  bool fail_reads_ = false;
};

}  // namespace tomoshibi::relay
