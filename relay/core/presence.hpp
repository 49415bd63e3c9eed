// Who is there: a gateway not heard for `down_after` is down since it was last heard; heard again it is up.
//
// After a start every gateway has as long before it is judged. One that was up when the relay itself went away is then
// down since the relay last knew it (its own last sign of life), not since the last stored hearing.
// O(log n) for each thing heard; 20,000 gateways cost one list.
#pragma once

#include "protocol/base/log.hpp"
#include "relay/core/commit_queue.hpp"
#include "relay/core/directory.hpp"
#include "relay/core/recency.hpp"

#include <map>

namespace tomoshibi::relay {

class presence {
public:
  presence(const limits& l, health& count, log_sink& log, commit_queue& commits)
      : limits_(l), count_(count), log_(log, "presence"), commits_(commits) {}

  void on_start(turn& t, const directory& known, const std::vector<gateway_state>& stored, std::optional<wall_at> alive);
  void on_directory(turn& t, const directory& known);
  void on_heard(turn& t, const gateway_id& gateway);
  // What its hello said; stored at once, and again with each "seen".
  void on_hello(turn& t, const gateway_id& gateway, const std::string& firmware_version, std::uint32_t config_version);
  void on_config_version(turn& t, const gateway_id& gateway, std::uint32_t config_version);
  void on_wake(turn& t);
  void store_all_seen(turn& t);

  bool up(const gateway_id& gateway) const;
  bool down(const gateway_id& gateway) const;  // judged; both false in the time after a start
  std::size_t count_up() const { return up_; }
  std::size_t count_down() const { return down_; }
  std::size_t count_known() const { return gateways_.size(); }
  mono_time next_wake() const { return waiting_.next(limits_.down_after); }

private:
  enum class judged : std::uint8_t { not_yet, up, down };
  struct entry {
    judged state = judged::not_yet;
    line stored = line::down;
    wall_at heard{};                 // or believed to have been there
    mono_time seen_stored{};
    std::string firmware_version;
    std::uint32_t config_version = 0;
  };

  void add(turn& t, const gateway_id& gateway);
  void judge(turn& t, const gateway_id& gateway, entry& e, judged now);
  void store_seen(turn& t, const gateway_id& gateway, entry& e);

  const limits& limits_;
  health& count_;
  logger log_;
  commit_queue& commits_;
  std::map<gateway_id, entry> gateways_;
  recency<gateway_id> waiting_;      // not judged down: touched when heard
  std::size_t up_ = 0;
  std::size_t down_ = 0;
};

}  // namespace tomoshibi::relay
