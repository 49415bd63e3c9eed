// Records in order, each once: from a gateway's log to writes and facts.
//
// Per gateway: `received`, the highest sequence taken without a gap, and `committed`, the highest that is durable.
// Records at or below `received` are known and skipped; a gap ends the session, unless hello said that the records are
// gone. Only `committed` is ever acknowledged. A new epoch starts at 0. Sequences that come back below `received` (a
// gateway restored from an old image) are taken as they are: slots and events are idempotent in the store. What was on
// its way to the store when a log changed or went back is taken again; its commit acknowledges nothing, for its
// sequences may mean other records now.
//
// A slot of the future is nobody's loss (ADR 13): neither it nor what comes behind it is taken or acknowledged, and after a
// while the session is ended, so that the gateway asks anew: by then one of the two clocks may be right.
#pragma once

#include "protocol/base/log.hpp"
#include "relay/core/commit_queue.hpp"
#include "relay/core/device_session.hpp"
#include "relay/core/directory_index.hpp"
#include "relay/core/health.hpp"
#include "relay/core/recency.hpp"
#include "relay/core/wall_horizon.hpp"

#include <map>
#include <optional>
#include <span>

namespace tomoshibi::relay {

// What was taken, told to the rules in order, within the turn in which it is written.
class fact_listener {
public:
  virtual void on_slot(turn& t, home_id home, const wire::slot_closed& slot) = 0;
  virtual void on_gap(turn& t, home_id home, const wire::slot_gap& gap) = 0;
  virtual void on_device(turn& t, home_id home, const wire::device_report& report) = 0;
  virtual void on_fault(turn& t, home_id home, const wire::device_fault& fault, wall_at at) = 0;
  virtual void on_facts_end(turn& t, home_id home) = 0;   // of this frame

protected:
  ~fact_listener() = default;
};

class ingest {
public:
  ingest(const limits& l, health& count, log_sink& log, commit_queue& commits, fact_listener& rules)
      : limits_(l), count_(count), log_(log, "ingest"), commits_(commits), rules_(rules) {}

  // `alive`: the last sign of life that was stored.
  void on_start(const turn& t, const std::vector<gateway_state>& stored, std::optional<wall_at> alive);
  record_seq on_hello(const gateway_id& gateway, const wire::hello& h);   // what to acknowledge in Welcome
  std::optional<refusal> take(turn& t, const gateway_id& gateway, wire::records&& r, const known_world& known);
  // A progress became durable, in the order in which they were taken: the sequence to acknowledge now, nothing if the log
  // it speaks of has changed meanwhile.
  std::optional<record_seq> on_committed(const progress_write& done);
  void forget_unknown(const directory& known);
  // A gateway that has been put off for long enough, each once: its session is to be ended.
  std::optional<gateway_id> take_put_off(mono_time now);
  mono_time next_wake() const { return put_off_.next(limits_.future_wait); }
  std::size_t count_put_off() const { return put_off_.size(); }

private:
  struct progress {
    outbox_epoch epoch{};
    record_seq received = 0;
    record_seq committed = 0;
    std::uint32_t on_the_way = 0;  // progress writes not yet committed ...
    std::uint32_t outdated = 0;    // ... of which so many, the oldest, speak of a log that has changed or gone back since
    wall_at future_told{};     // last time a slot of the future was logged
    mono_time gap_window_from{};   // neither a new session nor a new epoch begins the count of gaps anew
    std::uint64_t gap_cells = 0;
  };

  // Where a frame's records belong: looked up once for all of them.
  struct place {
    const gateway_id& gateway;
    home_id home;
    std::span<const appliance_id> appliances;  // ascending; what is not among them is foreign
    progress& at;
  };
  void write(turn& t, const place& where, record_seq seq, wire::record&& r);
  void write_slot(turn& t, const place& where, wire::slot_closed&& slot);
  std::optional<slot_index> of_the_future(const turn& t, const wire::record& r);  // the last slot it tells of, if that is one
  void put_off(turn& t, const gateway_id& gateway, slot_index slot);
  bool gaps_spent(const turn& t, progress& p) const;
  void write_gap(turn& t, const place& where, wire::slot_gap&& gap);

  const limits& limits_;
  health& count_;
  logger log_;
  commit_queue& commits_;
  fact_listener& rules_;
  std::map<gateway_id, progress> gateways_;
  recency<gateway_id> put_off_;      // since when; until the next hello
  wall_horizon horizon_;
};

}  // namespace tomoshibi::relay
