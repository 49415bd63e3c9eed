#include "tools/replay/conductor.hpp"

#include <algorithm>

namespace tomoshibi::replay {
namespace {

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= 32 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

std::string_view name_of(phase p) {
  switch (p) {
    case phase::gathering: return "gathering";
    case phase::stepping: return "stepping";
    case phase::holding: return "holding";
    case phase::paused: return "paused";
    case phase::ended: return "ended";
  }
  return "?";
}

conductor::conductor(conductor_options options)
    : options_(std::move(options)), expect_(options_.expect), speed_(options_.speed) {
  std::ranges::sort(options_.pauses);
}

bool conductor::on_join(participant who, std::string_view name, conductor_output& out) {
  if (members_.size() >= participants_max || !is_name(name)) return false;
  const auto place = std::ranges::upper_bound(members_, name, {}, &member::name);
  if (place - members_.begin() < static_cast<std::ptrdiff_t>(cursor_)) ++cursor_;  // the round goes on where it was
  members_.insert(place, member{.who = who, .name = std::string(name)});
  quiet_runs_ = 0;
  out.notices.push_back(joined_notice{std::string(name)});
  return true;
}

void conductor::on_leave(participant who, conductor_output& out) {
  const auto it = std::ranges::find(members_, who, &member::who);
  if (it == members_.end()) return;
  out.notices.push_back(left_notice{it->name});
  if (it - members_.begin() < static_cast<std::ptrdiff_t>(cursor_)) --cursor_;
  members_.erase(it);
  if (awaited_ == who) awaited_.reset();
  quiet_runs_ = 0;  // the others have closed sockets to see
  if (!options_.wait_for_vanished) expect_ = std::min(expect_, std::max<std::size_t>(members_.size(), 1));
}

bool conductor::on_ran(participant who, std::uint64_t handlers, mono_time next, conductor_output& out) {
  const auto it = std::ranges::find(members_, who, &member::who);
  if (it == members_.end() || awaited_ != who) return false;
  awaited_.reset();
  it->next = next;
  quiet_runs_ = handlers == 0 ? quiet_runs_ + 1 : 0;
  if (handlers != 0 && runs_here_ >= restless_runs) {
    out.notices.push_back(restless_notice{it->name, wall()});
    runs_here_ = 0;
  }
  return true;
}

void conductor::go(std::optional<std::size_t> expect) {
  if (expect) expect_ = std::max<std::size_t>(*expect, 1);
  if (phase_ == phase::paused) phase_ = phase::stepping;
}

bool conductor::add_pause(wall_at at) {
  if (at <= wall() || options_.pauses.size() >= pauses_max) return false;
  options_.pauses.insert(std::ranges::upper_bound(options_.pauses, at), at);
  return true;
}

void conductor::stop(conductor_output& out) {
  if (phase_ == phase::ended) return;
  phase_ = phase::ended;
  out.notices.push_back(end_notice{wall()});
}

void conductor::turn(mono_time real, conductor_output& out) {
  real_wake_ = never;
  if (awaited_ || phase_ == phase::ended) return;
  if (members_.empty()) {
    phase_ = phase_ == phase::paused ? phase::paused : phase::gathering;
    anchor_real_.reset();
    return;
  }
  if (!settled()) return order_next(out);
  runs_here_ = 0;
  if (phase_ != phase::paused && !options_.pauses.empty() && options_.pauses.front() <= wall()) {
    std::erase_if(options_.pauses, [this](wall_at p) { return p <= wall(); });
    phase_ = phase::paused;
    idle_due_ = real + idle_round_every;
    out.notices.push_back(paused_notice{wall()});
  }
  if (phase_ == phase::paused) return stand_still(phase::paused, real, out);
  if (members_.size() < expect_) return stand_still(phase::gathering, real, out);
  if (options_.end && wall() >= *options_.end && !past_end_) {
    past_end_ = true;
    if (!options_.speed_after_end) return stop(out);
    speed_ = *options_.speed_after_end;
    anchor_real_.reset();
    out.notices.push_back(end_notice{wall()});
  }
  move_on(real, out);
}

void conductor::order_next(conductor_output& out) {
  if (cursor_ >= members_.size()) cursor_ = 0;
  const member& next = members_[cursor_++];
  awaited_ = next.who;
  ++runs_;
  ++runs_here_;
  out.run = run_order{.to = next.who, .mono = now_, .wall = wall()};
}

// Time does not move now. After a while everybody is run again at the same instant.
void conductor::stand_still(phase why, mono_time real, conductor_output& out) {
  if (phase_ != why) idle_due_ = real + idle_round_every;
  phase_ = why;
  if (why != phase::holding) anchor_real_.reset();
  if (real < idle_due_) {
    real_wake_ = std::min(real_wake_, idle_due_);
    return;
  }
  idle_due_ = real + idle_round_every;
  quiet_runs_ = 0;
  order_next(out);
}

mono_time conductor::target() const {
  mono_time earliest = never;
  for (const member& m : members_) earliest = std::min(earliest, m.next);
  if (!options_.pauses.empty()) earliest = std::min(earliest, mono_of(options_.pauses.front()));
  if (options_.end && !past_end_) earliest = std::min(earliest, mono_of(*options_.end));
  // One that wants to wake at a time that has passed, though it was just run: the next millisecond.
  return std::max(earliest, now_ + 1ms);
}

void conductor::anchor(mono_time real) {
  if (anchor_real_) return;
  anchor_real_ = real;
  anchor_virtual_ = now_;
}

mono_time conductor::allowed_at(mono_time real) const {
  return anchor_virtual_ + (real - *anchor_real_) * static_cast<std::int64_t>(speed_);
}

mono_time conductor::real_time_for(mono_time t) const {
  if (t == never) return never;
  const auto virtual_ms = (t - anchor_virtual_).count();
  const auto speed = static_cast<std::int64_t>(speed_);
  return *anchor_real_ + millis{(virtual_ms + speed - 1) / speed};
}

void conductor::move_on(mono_time real, conductor_output& out) {
  const mono_time wanted = target();
  if (speed_ == 0) {
    if (wanted == never) return stand_still(phase::holding, real, out);
    return move_to(wanted, real, out);
  }
  anchor(real);
  if (allowed_at(real) - now_ > catch_up_max * static_cast<std::int64_t>(speed_)) {
    anchor_real_ = real - catch_up_max;
    anchor_virtual_ = now_;
  }
  const mono_time allowed = allowed_at(real);
  if (wanted <= allowed) return move_to(wanted, real, out);
  // Too early. Time still follows the real clock in small strides, for whoever asks in between.
  if (phase_ == phase::holding && real >= idle_due_ && allowed > now_) {
    idle_due_ = real + idle_round_every;
    return move_to(allowed, real, out);
  }
  real_wake_ = real_time_for(wanted);
  stand_still(phase::holding, real, out);
}

void conductor::move_to(mono_time t, mono_time real, conductor_output& out) {
  now_ = t;
  ++steps_;
  quiet_runs_ = 0;
  runs_here_ = 0;
  cursor_ = 0;
  phase_ = phase::stepping;
  idle_due_ = real + idle_round_every;
  order_next(out);
}

std::vector<std::string> conductor::names() const {
  std::vector<std::string> out;
  for (const member& m : members_) out.push_back(m.name);
  return out;
}

std::string_view conductor::awaited() const {
  if (!awaited_) return {};
  const auto it = std::ranges::find(members_, *awaited_, &member::who);
  return it == members_.end() ? std::string_view{} : std::string_view{it->name};
}

}  // namespace tomoshibi::replay
