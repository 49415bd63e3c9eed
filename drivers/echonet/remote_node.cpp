#include "drivers/echonet/remote_node.hpp"

#include "drivers/echonet/emergency_notice.hpp"
#include "protocol/base/probe.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace tomoshibi::drivers::echonet {

namespace {

constexpr std::size_t identity_size = 17;
constexpr std::size_t identity_unique_at = 4;  // behind FE and the maker code
constexpr std::size_t held_size_max = 256;

}  // namespace

std::optional<std::string> identity_from(byte_view edt) {
  if (edt.size() != identity_size) return std::nullopt;
  const byte_view unique = edt.subspan(identity_unique_at);
  if (std::all_of(unique.begin(), unique.end(), [](std::uint8_t b) { return b == 0; })) return std::nullopt;
  return to_hex(edt);
}

// ---- who and where

void remote_node::become(mono_time now, std::string identity, driver_output& out) {
  identity_ = std::move(identity);
  for (device_object& object : objects_) {
    object.set_key(identity_);
    tell_presence(now, object, presence_change::found, out);
    apply_plan(now, object);
  }
  const std::vector<bytes> held = std::move(held_);
  held_.clear();
  for (const bytes& datagram : held) {
    if (const auto frame = decode_frame(datagram)) take_announced_values(now, *frame, out);
  }
}

void remote_node::rename(mono_time now, std::string identity, driver_output& out) {
  for (const device_object& object : objects_) tell_presence(now, object, presence_change::silent, out);
  become(now, std::move(identity), out);
}

std::optional<remote_node::claim> remote_node::take_claim() {
  std::optional<claim> out = std::move(claim_);
  claim_.reset();
  return out;
}

void remote_node::give_session_to(mono_time now, remote_node& other) {
  other.session_ = std::move(session_);
  other.silent_jobs_ = 0;
  other.heard_at_ = std::max(other.heard_at_, heard_at_);
  other.identify_due_ = now + search_interval;
  other.held_ = std::exchange(held_, {});
}

bytes remote_node::instance_list() const {
  bytes out;
  put_u8(out, static_cast<std::uint8_t>(objects_.size()));
  for (const device_object& object : objects_) put_u24(out, object.id().value);
  return out;
}

void remote_node::announce_move(mono_time now, driver_output& out) {
  for (device_object& object : objects_) {
    tell_presence(now, object, presence_change::moved, out);
    object.doubt_state();
    object.poll().make_due(now);
  }
  for (const bytes& datagram : std::exchange(held_, {})) {
    if (const auto frame = decode_frame(datagram)) take_announced_values(now, *frame, out);
  }
}

void remote_node::tell_presence(mono_time, const device_object& object, presence_change change,
                                driver_output& out) const {
  device_presence p;
  p.device = object.key();
  p.eoj = object.id().value;
  p.change = change;
  p.maker = object.maker() != 0 ? object.maker() : maker_;
  p.since = object.poll().heard_at();
  out.observations.emplace_back(std::move(p));
}

device_object* remote_node::find(eoj id) {
  const auto at = std::find_if(objects_.begin(), objects_.end(), [id](const device_object& o) { return o.id() == id; });
  return at != objects_.end() ? &*at : nullptr;
}

// A list that nobody asked this node for. Who speaks from a known address must be made sure of before it is believed.
void remote_node::hear_instances(mono_time now, byte_view list, driver_output& out) {
  if (identity_.empty()) {
    merge_instances(now, list, out);
    return;
  }
  byte_reader in{list};
  in.u8();
  while (in.left() >= 3) {
    const eoj id{in.u24()};
    if (id.code() != node_profile_class && id.instance() != 0 && find(id) == nullptr &&
        objects_.size() < objects_per_node_max) {
      look_again(now);
    }
  }
}

void remote_node::merge_instances(mono_time now, byte_view list, driver_output& out) {
  byte_reader in{list};
  in.u8();  // the count is not trusted
  while (in.left() >= 3 && objects_.size() < objects_per_node_max) {
    const eoj id{in.u24()};
    if (id.code() == node_profile_class || id.instance() == 0 || find(id) != nullptr) continue;
    device_object& object = objects_.emplace_back(id);
    if (identity_.empty()) continue;
    object.set_key(identity_);
    tell_presence(now, object, presence_change::found, out);
    apply_plan(now, object);
  }
}

void remote_node::on_plan(mono_time now) {
  if (identity_.empty()) return;
  for (device_object& object : objects_) apply_plan(now, object);
}

void remote_node::apply_plan(mono_time now, device_object& object) {
  device_object::wants w;
  for (const watch& item : context_->plan.watches) {
    const eoj wanted{item.eoj};
    if (!wanted.addresses(object.id()) || (!item.node.empty() && item.node != identity_)) continue;
    w.operation_status = w.operation_status || item.wants_operation_status;
    w.power = w.power || item.wants_power;
    w.energy = w.energy || item.wants_energy;
    w.sensor_state = w.sensor_state || item.wants_sensor_state;
  }
  object.set_wants(w);
  if (!w.any()) {
    object.poll().stop();
    return;
  }
  const millis interval = std::max(context_->plan.poll_interval, poll_interval_min);
  const millis phase{static_cast<std::int64_t>(context_->random.below(static_cast<std::uint64_t>(interval.count())))};
  object.poll().begin(now, interval, phase);
}

bool remote_node::wanted() const {
  return std::any_of(objects_.begin(), objects_.end(), [](const device_object& o) { return o.wanted(); });
}

// ---- choosing jobs

void remote_node::identify_soon(mono_time at) { identify_due_ = std::min(identify_due_, at); }

device_object* remote_node::longest_due(mono_time now) {
  device_object* out = nullptr;
  for (device_object& object : objects_) {
    const mono_time due = object.poll().due();
    if (due <= now && (out == nullptr || due < out->poll().due())) out = &object;
  }
  return out;
}

void remote_node::start_job(mono_time now, driver_output& out) {
  if (!session_ || !session_->idle() || now < session_->ready_at() || claim_) return;
  if (identify_due_ <= now) {
    probe_ = false;
    start_identify(now, out);
    return;
  }
  if (identity_.empty()) return;
  if (probing()) {
    if (longest_due(now) == nullptr) return;
    probe_ = true;
    start_identify(now, out);
    return;
  }
  if (start_describe(now, true, out) || start_poll(now, out)) return;
  start_describe(now, false, out);
}

void remote_node::start(mono_time now, purpose why, const job& what, driver_output& out) {
  purpose_ = why;
  session_->start(now, what, out.datagrams);
}

void remote_node::start_identify(mono_time now, driver_output& out) {
  job what;
  what.object = node_profile;
  what.add(epc::identification);
  what.add(epc::instance_list);
  what.add(epc::maker);
  if (probing()) {
    what.count = 1;
    what.tries = 1;
  }
  identify_due_ = never;
  start(now, purpose::identify, what, out);
}

bool remote_node::start_describe(mono_time now, bool wanted_only, driver_output& out) {
  for (device_object& object : objects_) {
    if (object.describe_due() > now || (wanted_only && !object.wanted())) continue;
    start(now, purpose::describe, object.describe_job(), out);
    return true;
  }
  return false;
}

bool remote_node::start_poll(mono_time now, driver_output& out) {
  while (device_object* const object = longest_due(now)) {
    job what = object->poll_job();
    if (what.count == 0) {
      // Nothing of what is wanted can be read here. That is missing data, not a silent device.
      object->poll().on_reading(now);
      out.observations.emplace_back(reading_missed{object->key(), object->id().value});
      continue;
    }
    if (silent_jobs_ > 0) what.tries = object->poll().in_second_round() ? 2 : 1;
    start(now, purpose::poll, what, out);
    return true;
  }
  return false;
}

mono_time remote_node::next_job_at() const {
  mono_time at = identify_due_;
  if (!identity_.empty()) {
    for (const device_object& object : objects_) {
      at = std::min(at, object.poll().due());
      if (!probing()) at = std::min(at, object.describe_due());
    }
  }
  return at;
}

mono_time remote_node::next_wake() const {
  if (!session_) {
    mono_time at = never;
    for (const device_object& object : objects_) at = std::min(at, object.poll().due());
    return at;
  }
  return session_->idle() ? std::max(next_job_at(), session_->ready_at()) : session_->next_wake();
}

void remote_node::on_wake(mono_time now, driver_output& out) {
  if (!session_) {
    miss_everything_due(now, out);
    return;
  }
  if (session_->on_wake(now, out.datagrams)) end_job(now, out);
  start_job(now, out);
}

// ---- ends of jobs

void remote_node::end_job(mono_time now, driver_output& out) {
  if (session_->end() == job_end::answered || session_->values().has_values()) {
    silent_jobs_ = 0;
    heard_at_ = now;
  } else if (silent_jobs_ < std::numeric_limits<std::uint8_t>::max()) {
    ++silent_jobs_;
  }
  if (purpose_ == purpose::identify) {
    end_identify(now, out);
    return;
  }
  device_object* const object = find(session_->current().object);
  if (object == nullptr) return;
  if (purpose_ == purpose::describe) {
    end_describe(now, *object);
  } else {
    end_poll(now, *object, out);
  }
}

void remote_node::end_identify(mono_time now, driver_output& out) {
  const property_bag& values = session_->values();
  if (const auto edt = values.find(epc::maker); edt && edt->size() == 3) maker_ = byte_reader{*edt}.u24();
  const bool probe = std::exchange(probe_, false);
  if (!values.settled(epc::identification)) {
    if (identify_failures_ < std::numeric_limits<std::uint8_t>::max()) ++identify_failures_;
    identify_due_ = now + (identity_.empty() ? identify_retry_ : search_interval);
    identify_retry_ = std::min(identify_retry_ * 2, identify_retry_max);
    claim_ = claim{};
    if (probe) {
      hit(tomoshibi::probe::node_probed_in_vain);
      miss_everything_due(now, out);
    }
    return;
  }
  identify_failures_ = 0;
  identify_retry_ = identify_retry_min;
  identify_due_ = now + search_interval;
  const auto edt = values.find(epc::identification);
  const auto list = values.find(epc::instance_list);
  claim_ = claim{true, edt ? identity_from(*edt) : std::nullopt, list ? bytes{list->begin(), list->end()} : bytes{}};
}

void remote_node::end_describe(mono_time now, device_object& object) {
  object.take_description(now, session_->values(), session_->end());
}

void remote_node::end_poll(mono_time now, device_object& object, driver_output& out) {
  const property_bag& values = session_->values();
  if (session_->end() == job_end::silent && !values.has_values()) {
    poll_unanswered(now, object, false, out);
    return;
  }
  auto result = object.take_poll(values);
  object.poll().on_reading(now);
  on_heard(now, object, out);
  if (!result) out.observations.emplace_back(reading_missed{object.key(), object.id().value});
  put_reading(object, std::move(result), out);
}

void remote_node::take_part_of_poll(mono_time now, driver_output& out) {
  device_object* const object = purpose_ == purpose::poll ? find(session_->current().object) : nullptr;
  if (object == nullptr) return;
  on_heard(now, *object, out);
  if (auto part = object->take_part(session_->values())) {
    hit(tomoshibi::probe::poll_told_in_parts);
    out.observations.emplace_back(std::move(*part));
  }
}

void remote_node::put_reading(device_object& object, std::optional<reading> r, driver_output& out) {
  if (r) out.observations.emplace_back(std::move(*r));
  if (const auto fault = object.take_fault_change()) {
    out.observations.emplace_back(*fault);
    // What it is that failed is in another property.
    if (fault->faulty && fault->description == 0) object.poll().make_due(object.poll().heard_at());
  }
}

void remote_node::miss_everything_due(mono_time now, driver_output& out) {
  for (device_object& object : objects_) {
    if (object.poll().due() <= now) poll_unanswered(now, object, true, out);
  }
}

void remote_node::poll_unanswered(mono_time now, device_object& object, bool is_final, driver_output& out) {
  if (!object.poll().on_silence(now, is_final)) return;
  out.observations.emplace_back(reading_missed{object.key(), object.id().value});
  if (object.poll().turned_silent(now)) tell_presence(now, object, presence_change::silent, out);
}

// ---- what arrives

void remote_node::on_heard(mono_time now, device_object& object, driver_output& out) {
  object.poll().on_heard(now);
  if (!object.poll().turned_back()) return;
  object.doubt_state();
  tell_presence(now, object, presence_change::back, out);
}

void remote_node::on_answer(mono_time now, const frame_view& frame, driver_output& out) {
  heard_at_ = now;
  const bool from_profile = frame.seoj.code() == node_profile_class;
  switch (session_->on_answer(now, frame)) {
    case node_session::taken::job_ended: end_job(now, out); break;
    case node_session::taken::in_progress: take_part_of_poll(now, out); break;
    case node_session::taken::late: take_late_values(now, frame, out); break;
    case node_session::taken::overtaken:
    case node_session::taken::unmatched: break;
  }
  // Answers to a search carry its TID, or a foreign one, and may come more than once.
  if (from_profile) {
    if (const auto list = frame.properties.find(epc::instance_list)) hear_instances(now, list->edt, out);
  }
  start_job(now, out);
}

void remote_node::take_late_values(mono_time now, const frame_view& frame, driver_output& out) {
  silent_jobs_ = 0;
  device_object* const object = find(frame.seoj);
  if (object == nullptr || identity_.empty()) return;
  const bool serves_second_round = object->poll().in_second_round();
  auto result = object->take_values(frame.properties, true);
  if (result && serves_second_round) object->poll().on_reading(now);
  on_heard(now, *object, out);
  put_reading(*object, std::move(result), out);
}

void remote_node::on_announcement(mono_time now, byte_view datagram, const frame_view& frame, driver_output& out) {
  if (probing()) identify_soon(now);  // somebody is there again: make sure who
  heard_at_ = now;
  silent_jobs_ = 0;
  ++session_->statistics().announcements;
  if (frame.seoj.code() == node_profile_class) {
    if (const auto list = frame.properties.find(epc::instance_list_notification)) {
      hear_instances(now, list->edt, out);
    }
    on_restart_notice(now);
  } else if (identity_.empty()) {
    if (auto press = emergency_notice("ip:" + address(), frame)) {
      out.observations.emplace_back(std::move(*press));
    } else if (held_.size() < held_notices_max && datagram.size() <= held_size_max) {
      held_.emplace_back(datagram.begin(), datagram.end());
    }
  } else {
    take_announced_values(now, frame, out);
  }
  start_job(now, out);
}

// A node profile speaks when its node starts or changes; some nodes also announce device properties under its name. Either
// way the answer is to look again.
void remote_node::on_restart_notice(mono_time now) {
  if (!look_again(now)) return;
  for (device_object& object : objects_) {
    object.doubt_state();
    object.poll().make_due(now);
  }
}

// False: it was looked at just now. A host that announces without end causes no more than that.
bool remote_node::look_again(mono_time now) {
  if (looked_at_ != mono_time::min() && now - looked_at_ < restart_gap) return false;
  looked_at_ = now;
  identify_soon(now);
  return true;
}

void remote_node::take_announced_values(mono_time now, const frame_view& frame, driver_output& out) {
  device_object* const object = find(frame.seoj);
  if (object == nullptr) {
    if (auto press = emergency_notice(identity_, frame)) out.observations.emplace_back(std::move(*press));
    look_again(now);  // an instance that is in no list we have
    return;
  }
  on_heard(now, *object, out);
  put_reading(*object, object->take_values(frame.properties, false), out);
}

}  // namespace tomoshibi::drivers::echonet
