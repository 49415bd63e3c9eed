// The replay clock's conductor (docs/adr/0002-replay-clock-is-a-conductor.md): decides when virtual time may move.
//
// Participants are told `run <mono> <wall>` one after the other, in the order of their names, and answer how many
// handlers ran and when they next want to wake. Time moves to the smallest next wake once everybody in turn has
// answered "none" twice. A pure state machine: it has no socket and reads no clock; `real` is the machine's time and
// matters only for the speed limit and for the idle rounds below.
//
//   gathering  fewer participants than expected: time stands still
//   stepping   running at one instant until nothing is in flight
//   holding    settled, and the speed limit says that it is too early to move on
//   paused     at a pause point: time stands still until go()
//   ended      the end time was reached or stop() was called
//
// While time stands still (gathering, holding, paused) everybody is still run once in a while at the same instant, so
// that operators' tools and a participant that has just come back are served.
#pragma once

#include "protocol/base/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tomoshibi::replay {

enum class participant : std::uint32_t {};

struct conductor_options {
  wall_at start{};
  std::optional<wall_at> end{};          // nothing: until stop()
  std::uint32_t speed = 0;               // virtual seconds per real second at most; 0 = as fast as it goes
  std::optional<std::uint32_t> speed_after_end{};  // instead of ending, go on at this speed
  std::size_t expect = 1;                // time stands still with fewer participants than this
  bool wait_for_vanished = true;         // false: one that disconnects leaves the count, and time goes on
  std::vector<wall_at> pauses{};
};

inline constexpr mono_time replay_mono_start = mono_from_ms(1'000'000);  // as if the machine had been up for a while
inline constexpr millis idle_round_every = 100ms;
inline constexpr millis catch_up_max = 1000ms;  // real time: what was lost beyond this is not made up for
inline constexpr std::uint32_t restless_runs = 200'000;  // runs at one instant after which somebody is told
inline constexpr std::size_t participants_max = 16;
inline constexpr std::size_t pauses_max = 100'000;

struct run_order {
  participant to{};
  mono_time mono{};
  wall_at wall{};
};
struct joined_notice { std::string name; };
struct left_notice { std::string name; };
struct paused_notice { wall_at at{}; };
struct end_notice { wall_at at{}; };
struct restless_notice { std::string name; wall_at at{}; };  // the one that keeps running handlers: time cannot move
using notice = std::variant<joined_notice, left_notice, paused_notice, end_notice, restless_notice>;

struct conductor_output {
  std::optional<run_order> run;          // at most one is outstanding at any time
  std::vector<notice> notices;
};

enum class phase : std::uint8_t { gathering, stepping, holding, paused, ended };
std::string_view name_of(phase p);

class conductor {
public:
  explicit conductor(conductor_options options);

  // False: full, or the name is not 1..32 characters of [a-z0-9-].
  bool on_join(participant who, std::string_view name, conductor_output& out);
  void on_leave(participant who, conductor_output& out);
  // False: it was not asked.
  bool on_ran(participant who, std::uint64_t handlers, mono_time next, conductor_output& out);
  // Leaves a pause; with a number, from now on so many participants are expected.
  void go(std::optional<std::size_t> expect);
  bool add_pause(wall_at at);            // false: in the past, or too many
  void stop(conductor_output& out);

  // To be called after any of the above and at next_real_wake(): may order one run.
  void turn(mono_time real, conductor_output& out);
  mono_time next_real_wake() const { return real_wake_; }

  phase state() const { return phase_; }
  wall_at wall() const { return wall_of(now_); }
  mono_time mono() const { return now_; }
  std::size_t joined() const { return members_.size(); }
  std::size_t expected() const { return expect_; }
  std::uint64_t steps() const { return steps_; }  // how often time moved
  std::uint64_t runs() const { return runs_; }
  const conductor_options& options() const { return options_; }
  std::vector<std::string> names() const;
  std::string_view awaited() const;      // who owes an answer; empty: nobody

private:
  struct member {
    participant who{};
    std::string name;
    mono_time next = never;
  };
  wall_at wall_of(mono_time t) const { return options_.start + (t - replay_mono_start); }
  mono_time mono_of(wall_at w) const { return replay_mono_start + (w - options_.start); }
  bool settled() const { return quiet_runs_ >= 2 * members_.size(); }
  void order_next(conductor_output& out);
  void stand_still(phase why, mono_time real, conductor_output& out);
  void move_on(mono_time real, conductor_output& out);
  void move_to(mono_time target, mono_time real, conductor_output& out);
  mono_time target() const;
  void anchor(mono_time real);
  mono_time allowed_at(mono_time real) const;
  mono_time real_time_for(mono_time t) const;

  conductor_options options_;
  std::vector<member> members_;          // by name
  std::size_t cursor_ = 0;               // place in members_ of the one to be run next
  std::optional<participant> awaited_;
  mono_time now_ = replay_mono_start;
  phase phase_ = phase::gathering;
  std::size_t expect_ = 1;
  std::uint32_t speed_ = 0;
  std::size_t quiet_runs_ = 0;           // answers "none" since a handler last ran, somebody came or went, or time moved
  std::uint32_t runs_here_ = 0;          // since time last moved
  std::uint64_t steps_ = 0;
  std::uint64_t runs_ = 0;
  bool past_end_ = false;
  std::optional<mono_time> anchor_real_;  // pace: anchor_virtual_ was at anchor_real_
  mono_time anchor_virtual_{};
  mono_time idle_due_{};
  mono_time real_wake_ = never;
};

}  // namespace tomoshibi::replay
