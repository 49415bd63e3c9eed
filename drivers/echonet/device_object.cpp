#include "drivers/echonet/device_object.hpp"

#include <algorithm>

namespace tomoshibi::drivers::echonet {

namespace {

bool has_value(const reading& r) {
  return r.operating.has_value() || r.active.has_value() || r.power_w.has_value() || r.energy_wh.has_value() ||
         r.doubted;
}

}  // namespace

void device_object::set_key(std::string_view node_identity) {
  bytes code;
  put_u24(code, id_.value);
  key_.assign(node_identity);
  key_ += '/';
  key_ += to_hex(code);
}

// ---- description

job device_object::describe_job() const {
  job out;
  out.object = id_;
  // The one that matters most comes first, in case the node answers only the beginning.
  if (!get_) out.add(epc::get_map);
  if (!inf_) out.add(epc::inf_map);
  if (!set_) out.add(epc::set_map);
  if (maker_ == 0) out.add(epc::maker);
  return out;
}

bool device_object::take_description(mono_time now, const property_bag& values, job_end end) {
  const auto map_of = [&values](epc_code code) {
    const auto edt = values.find(code);
    return edt ? property_map::decode(*edt) : std::nullopt;
  };
  if (!get_) get_ = map_of(epc::get_map);
  if (!inf_) inf_ = map_of(epc::inf_map);
  if (!set_) set_ = map_of(epc::set_map);
  if (const auto edt = values.find(epc::maker); edt && edt->size() == 3) maker_ = byte_reader{*edt}.u24();
  // A map that lists nothing is no map: every object has at least its own maps.
  if (get_ && get_->empty()) get_.reset();
  ++describe_tries_;
  described_ = get_.has_value() || end == job_end::answered || describe_tries_ >= describe_tries_max;
  describe_due_ = now + describe_retry;
  if (described_) choose_properties();
  return described_;
}

void device_object::describe_again(mono_time now) {
  described_ = false;
  describe_tries_ = 0;
  describe_due_ = now;
  get_.reset();
  inf_.reset();
  set_.reset();
}

// ---- polling

void device_object::set_wants(const wants& w) {
  wants_ = w;
  choose_properties();
}

void device_object::choose_properties() {
  polled_count_ = 0;
  const auto add = [this](epc_code code) {
    if (code != 0) polled_[polled_count_++] = {code, 0};
  };
  if (wants_.operation_status && (!get_ || get_->contains(epc::operation_status))) add(epc::operation_status);
  if (wants_.sensor_state) add(sensor_epc_of(*info_, get_));
  if (wants_.power) add(power_epc_of(*info_, get_));
  if (wants_.energy) add(energy_epc_of(*info_, get_));
}

job device_object::poll_job() {
  job out;
  out.object = id_;
  const bool rested_too = polls_ % fault_poll_every == 0;
  for (std::size_t i = 0; i < polled_count_; ++i) {
    if (polled_[i].refusals < refusals_to_rest || rested_too) out.add(polled_[i].epc);
  }
  // Not in the first poll: the state of the appliance comes first.
  const bool fault_turn = polls_ % fault_poll_every == 1;
  if (out.count > 0 && (fault_turn || has_fault()) && (!get_ || get_->contains(epc::fault_status))) {
    out.add(epc::fault_status);
    if (has_fault() && get_ && get_->contains(epc::fault_description)) out.add(epc::fault_description);
  }
  ++polls_;
  values_taken_ = 0;
  told_ = {};
  return out;
}

reading device_object::empty_reading(bool polled) const {
  reading out;
  out.device = key_;
  out.eoj = id_.value;
  out.polled = polled;
  return out;
}

void device_object::take_new_values(const property_bag& values, reading& into) {
  values.for_each_from(values_taken_, [this, &into](epc_code code, byte_view value) { take_value(code, value, true, into); });
  values_taken_ = values.size();
}

std::optional<reading> device_object::take_part(const property_bag& values) {
  reading out = empty_reading(false);
  take_new_values(values, out);
  told_.operating = told_.operating || out.operating.has_value();
  told_.active = told_.active || out.active.has_value();
  told_.power_w = told_.power_w || out.power_w.has_value();
  if (!has_value(out)) return std::nullopt;
  return out;
}

std::optional<reading> device_object::take_poll(const property_bag& values) {
  for (std::size_t i = 0; i < polled_count_; ++i) {
    polled_property& p = polled_[i];
    if (values.refused(p.epc)) {
      p.refusals = static_cast<std::uint8_t>(std::min<unsigned>(p.refusals + 1u, refusals_to_rest));
    } else if (values.find(p.epc)) {
      p.refusals = 0;
    }
  }
  reading out = empty_reading(true);
  take_new_values(values, out);
  out.told = told_;
  if (!has_value(out) && !out.told.any()) return std::nullopt;
  return out;
}

std::optional<reading> device_object::take_values(const property_list& values, bool polled) {
  reading out = empty_reading(polled);
  out.announced = !polled;
  for (const property_view p : values) take_value(p.epc, p.edt, polled, out);
  if (!has_value(out)) return std::nullopt;
  return out;
}

void device_object::take_value(epc_code code, byte_view value, bool polled, reading& into) {
  switch (code) {
    case epc::operation_status: into.operating = decode_operation_status(value); return;
    case epc::fault_status:
      if (const auto faulty = decode_fault(value); faulty && *faulty != faulty_) {
        faulty_ = *faulty;
        fault_changed_ = true;
        if (!*faulty) fault_description_ = 0;
      }
      return;
    case epc::fault_description:
      if (value.size() == 2 && has_fault()) {
        const std::uint16_t description = byte_reader{value}.u16();
        fault_changed_ = fault_changed_ || description != fault_description_;
        fault_description_ = description;
      }
      return;
    default: break;
  }
  if (is_sensor_epc(*info_, code)) {
    const auto active = decode_sensor(*info_, code, value);
    if (!active) return;
    // A press or a movement that was already there when we first looked may be how the device starts.
    if (info_->event_like && *active && polled && !state_believed_) {
      into.doubted = is_emergency(id_.code());
      return;
    }
    state_believed_ = true;
    into.active = active;
  } else if (code == info_->energy_epc) {
    into.energy_wh = decode_energy(value);
  } else if (is_power_epc(*info_, code)) {
    into.power_w = decode_power(*info_, code, value);
  }
}

std::optional<device_fault> device_object::take_fault_change() {
  if (!fault_changed_) return std::nullopt;
  fault_changed_ = false;
  return device_fault{key_, id_.value, has_fault(), fault_description_};
}

}  // namespace tomoshibi::drivers::echonet
