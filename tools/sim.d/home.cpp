#include "tools/sim.d/home.hpp"

#include "drivers/echonet/twin/presets.hpp"
#include "drivers/registry.hpp"
#include "tools/sim.d/checkers/acks.hpp"
#include "tools/sim.d/memory_owner.hpp"

#include <algorithm>

namespace tomoshibi::sim {
namespace {

using drivers::echonet::eoj;
using drivers::echonet::twin::notice;

constexpr wall_at calendar_start = wall_from_ms(1'775'001'600'000);  // 2026-04-01T00:00Z
constexpr std::uint32_t tv = 0x060201, motion = 0x000701, door = 0x002901, plug = 0x05fd01;
constexpr std::uint32_t polls_to_gap = 3;
constexpr millis believed_later = 5s;         // the driver may have a reading later than we
constexpr millis device_lateness_max = 1min;  // what was late may arrive so long after the fault
const endpoint node_at{node_address, 3610};

// As the daemon has it, but for how often a slow line says that it is there.
firmware::keep_alive line_of(const options& opt) {
  firmware::keep_alive line{.upload_spread = firmware::upload_spread_product, .renew_after = firmware::renew_after_product};
  if (opt.slow_line) {
    line.ping_after = 300s;
    line.silence_limit = 750s;
  }
  return line;
}

}  // namespace

wall_at wall_of(mono_time t) { return calendar_start + t.time_since_epoch(); }

home::home(std::uint32_t number, const options& opt, const home_traits& traits, prng random, disk_factory& disks)
    : number_(number), traits_(traits),
      line_(line_of(opt)),
      gap_limit_(std::chrono::seconds{opt.poll_interval_s * polls_to_gap}), random_(random),
      flash_(disks.gateway(number, random_.next())) {
  const habit watching{.uses_per_day = 4, .shortest = 5min, .longest = 3h, .first_hour = 6, .last_hour = 22};
  const habit walking{.uses_per_day = 12, .shortest = 5s, .longest = 5min, .first_hour = 0, .last_hour = 24};
  const habit opening{.uses_per_day = 8, .shortest = 2s, .longest = 90s, .first_hour = 6, .last_hour = 22};
  const habit cooking{.uses_per_day = 2, .shortest = 20min, .longest = 70min, .first_hour = 6, .last_hour = 19};
  plug_in(tv, wire::on_rule_kind::operation_status, watching, 3, random_.fork(), opt);
  plug_in(motion, wire::on_rule_kind::sensor_state, walking, std::nullopt, random_.fork(), opt);
  plug_in(door, wire::on_rule_kind::sensor_state, opening, 2, random_.fork(), opt);
  plug_in(plug, wire::on_rule_kind::operation_status, cooking, 3, random_.fork(), opt);
  make_node();
  truth_.seen.resize(appliances_.size());
  truth_.meters.resize(appliances_.size());
  for (const auto& a : appliances_) metered_.push_back(node_->find(eoj{a.spec.eoj})->metered());
}

void home::plug_in(std::uint32_t code, wire::on_rule_kind rule, const habit& how,
                   std::optional<std::uint16_t> quiet_days, prng random, const options& opt) {
  constexpr int quiet_end_days = 2;
  simulated_appliance a;
  a.spec.appliance = appliance_id{static_cast<std::uint16_t>(appliances_.size() + 1)};
  a.spec.label = "appliance " + std::to_string(appliances_.size() + 1);
  a.spec.eoj = code;
  a.spec.on_rule = rule;
  a.quiet_days = quiet_days;
  a.uses = live(random, how, calendar_start, opt.days);
  a.truth = on_slots(a.uses, calendar_start, opt.days + quiet_end_days, lan_delay);
  appliances_.push_back(std::move(a));
}

// ---- devices

void home::make_node() {
  constexpr std::uint64_t swaps_max = 1'000'000;
  const auto identity = drivers::echonet::twin::identity_of((number_ + 1) * swaps_max + swaps_);
  node_ = std::make_unique<drivers::echonet::twin::twin_node>(
      drivers::echonet::twin::twin_options{.identity = identity, .seed = random_.next()});
  for (const auto& a : appliances_) node_->add_object(eoj{a.spec.eoj});
}

void home::start_devices(mono_time now, std::vector<drivers::datagram>& said) {
  node_->on_start(now, said);
  for (const auto& a : appliances_) node_->set_use(now, eoj{a.spec.eoj}, a.in_use, notice::none, said);
}

void home::on_home_wake(mono_time now, std::vector<drivers::datagram>& said) {
  const wall_at wall = wall_of(now);
  for (auto& a : appliances_) {
    while (a.next_use < a.uses.size()) {
      const use& u = a.uses[a.next_use];
      if (!a.in_use && u.from <= wall) {
        a.in_use = node_->set_use(now, eoj{a.spec.eoj}, true, notice::inf, said);
      } else if (a.in_use && u.until <= wall) {
        node_->set_use(now, eoj{a.spec.eoj}, false, notice::inf, said);
        a.in_use = false;
        ++a.next_use;
      } else {
        break;
      }
    }
  }
  if (node_->next_wake() <= now) node_->on_wake(now, said);
}

void home::on_home_datagram(mono_time now, byte_view payload, std::vector<drivers::datagram>& said) {
  static const endpoint gateway{gateway_address, 3610};
  node_->on_datagram(now, gateway, payload, said);
}

mono_time home::home_next() const {
  mono_time next = node_->next_wake();
  for (const auto& a : appliances_) {
    if (a.next_use >= a.uses.size()) continue;
    const use& u = a.uses[a.next_use];
    next = std::min(next, mono_time{(a.in_use ? u.until : u.from) - calendar_start});
  }
  return next;
}

std::uint64_t home::counted_wh(std::size_t i, mono_time now) {
  return truth_.meters[i].before + node_->find(eoj{appliances_[i].spec.eoj})->counter_wh(now);
}

void home::swap_node(mono_time now, std::vector<drivers::datagram>& said) {
  for (std::size_t i = 0; i < appliances_.size(); ++i)
    if (metered_[i]) truth_.meters[i].on_swap(counted_wh(i, now));
  named_ = false;
  doubted_until_ = std::min(doubted_until_, now + lan_delay);  // the faults of the devices go with them
  ++swaps_;
  make_node();
  start_devices(now, said);
}

void home::begin_device_fault(mono_time now, const drawn_fault& f, std::vector<drivers::datagram>& said) {
  namespace twin = drivers::echonet::twin;
  const auto twin_fault = [&](twin::fault_kind kind, std::uint32_t amount = 0) {
    node_->add_fault({.kind = kind, .from = now, .to = f.until, .amount = amount, .per_mille = f.per_mille});
  };
  if (f.kind == fault_kind::device_garbage || f.kind == fault_kind::device_cut_short ||
      f.kind == fault_kind::device_late || f.kind == fault_kind::device_wrong_tid)
    doubted_until_ = std::max(doubted_until_, f.until + device_lateness_max);
  switch (f.kind) {
    case fault_kind::device_silent: return twin_fault(twin::fault_kind::silent);
    case fault_kind::device_off: return twin_fault(twin::fault_kind::power_cut);
    case fault_kind::device_garbage: return twin_fault(twin::fault_kind::garbage);
    case fault_kind::device_cut_short: return twin_fault(twin::fault_kind::cut_short);
    case fault_kind::device_late: return twin_fault(twin::fault_kind::slow, static_cast<std::uint32_t>(f.amount));
    case fault_kind::device_duplicate: return twin_fault(twin::fault_kind::duplicate);
    case fault_kind::device_wrong_tid: return twin_fault(twin::fault_kind::wrong_tid);
    case fault_kind::device_loses: return twin_fault(twin::fault_kind::lost);
    case fault_kind::device_deaf: return twin_fault(twin::fault_kind::deaf);
    case fault_kind::device_no_value: return twin_fault(twin::fault_kind::no_value);
    case fault_kind::meter_reset:
      for (std::size_t i = 0; i < appliances_.size(); ++i) {
        if (!metered_[i]) continue;
        truth_.meters[i].on_reset(counted_wh(i, now));
        node_->find(eoj{appliances_[i].spec.eoj})->set_counter(now, 0);
      }
      return;
    case fault_kind::meter_swap: return swap_node(now, said);
    case fault_kind::device_faulty: {
      constexpr std::uint8_t faulty = 0x41;
      const auto& a = appliances_[static_cast<std::size_t>(f.from.time_since_epoch().count()) % appliances_.size()];
      node_->set_property(now, eoj{a.spec.eoj}, drivers::echonet::epc::fault_status, {&faulty, 1}, notice::inf, said);
      return;
    }
    default: return;
  }
}

void home::end_device_fault(mono_time now, const drawn_fault& f, std::vector<drivers::datagram>& said) {
  if (f.kind != fault_kind::device_faulty) return;
  constexpr std::uint8_t well = 0x42;
  for (const auto& a : appliances_)
    node_->set_property(now, eoj{a.spec.eoj}, drivers::echonet::epc::fault_status, {&well, 1}, notice::inf, said);
}

// ---- the gateway

mono_time home::local(mono_time world) const {
  return world + millis{world.time_since_epoch().count() * traits_.drift_ppm / 1'000'000};
}

mono_time home::world(mono_time at) const {
  if (at == never || traits_.drift_ppm == 0) return at;
  constexpr std::int64_t million = 1'000'000;
  mono_time out{millis{at.time_since_epoch().count() * million / (million + traits_.drift_ppm)}};
  while (local(out) < at) out += 1ms;
  return out;
}

firmware::system_clock_reading home::machine_clock(mono_time now) const {
  if (traits_.time_service) return {.at = wall_of(now) + clock_error_, .disciplined = true};
  if (traits_.battery) return {.at = wall_of(local(now)) + clock_error_, .disciplined = false};
  return {.at = wall_at{} + now.time_since_epoch(), .disciplined = false};  // 1970
}

void home::power_up(mono_time now, firmware::gateway_output& out) {
  ++boots_;
  store_ = flash_->open();
  const memory_turn turn{memory_of_home(number_)};
  driver_ = drivers::registry().front().make(
      {.seed = random_.next(), .identity = {static_cast<std::uint8_t>(number_)}, .log = &null_log()});
  drivers_ = {driver_.get()};
  const firmware::gateway_setup setup{.id = simulated_gateway(number_), .boot = boots_, .firmware_version = "sim",
                                      .seed = random_.next(), .built = calendar_start - 24h,
                                      .file_config = std::nullopt, .line = line_, .dials = true};
  gateway_ = std::make_unique<firmware::gateway>(setup, *store_, drivers_, null_log());
  gateway_->on_start(local(now), machine_clock(now), out);
}

void home::power_cut(mono_time now) {
  for (auto& s : truth_.seen) s.on_power_cut(wall_of(now), gap_limit_);
  flash_->power_cut();  // first: nothing that a destructor writes is to reach it
  gateway_.reset();
  driver_.reset();
  store_.reset();
}

void home::on_datagram(mono_time now, byte_view payload, firmware::gateway_output& out) {
  note_arrivals(now, payload);
  const memory_turn turn{memory_of_home(number_)};
  gateway_->on_datagram(local(now), 0, node_at, payload, out);
}
void home::on_link_open(mono_time now, firmware::link_number link, firmware::gateway_output& out) {
  const memory_turn turn{memory_of_home(number_)};
  gateway_->on_link_open(local(now), link, out);
}
void home::on_link_bytes(mono_time now, firmware::link_number link, byte_view data, firmware::gateway_output& out) {
  const memory_turn turn{memory_of_home(number_)};
  gateway_->on_link_bytes(local(now), link, data, out);
}
void home::on_link_closed(mono_time now, firmware::link_number link, errc why, firmware::gateway_output& out) {
  const memory_turn turn{memory_of_home(number_)};
  gateway_->on_link_closed(local(now), link, error{why, {}}, out);
}
void home::on_wake(mono_time now, firmware::gateway_output& out) {
  const memory_turn turn{memory_of_home(number_)};
  gateway_->on_wake(local(now), out);
}
void home::on_stop(mono_time now, firmware::gateway_output& out) {
  const memory_turn turn{memory_of_home(number_)};
  gateway_->on_stop(local(now), out);
}
void home::on_clock(mono_time now, firmware::gateway_output& out) {
  const memory_turn turn{memory_of_home(number_)};
  gateway_->on_system_clock(local(now), machine_clock(now), out);
}
mono_time home::gateway_next() const { return world(gateway_->next_wake()); }

// What of a datagram is word of a state or of a meter. Reads the frame by itself, and believes more than the driver may.
void home::note_arrivals(mono_time now, byte_view payload) {
  constexpr std::size_t source_at = 4, service_at = 10, count_at = 11, properties_at = 12;
  constexpr std::uint8_t services_from = 0x50;  // answers and announcements
  constexpr std::uint8_t no_number = 0x80;      // a counter stays below 10^9; "no value" begins with 0xff
  constexpr std::uint8_t answer_to_get = 0x72;
  if (payload.size() <= properties_at || payload[service_at] < services_from) return;
  const std::uint32_t source = static_cast<std::uint32_t>(payload[source_at] << 16 | payload[source_at + 1] << 8 | payload[source_at + 2]);
  // The driver asks for the identification first; whatever comes under the old name until then is the old device's.
  if (source == drivers::echonet::node_profile.value && now >= doubted_until_ && payload[service_at] == answer_to_get &&
      payload[properties_at] == drivers::echonet::epc::identification)
    named_ = true;
  for (std::size_t i = 0; i < appliances_.size(); ++i) {
    if (appliances_[i].spec.eoj != source) continue;
    const auto code = eoj{source}.code();
    const std::uint8_t state = drivers::echonet::twin::use_of(code).epc;
    const std::uint8_t energy = drivers::echonet::info_of(code).energy_epc;
    std::size_t at = properties_at;
    for (int n = payload[count_at]; n > 0 && at + 2 <= payload.size(); --n) {
      const std::uint8_t epc = payload[at];
      const std::uint8_t size = payload[at + 1];
      if (epc == state && size == 1) truth_.seen[i].on_arrival(wall_of(now), gap_limit_);
      const bool is_number = size == 4 && at + 2 < payload.size() && payload[at + 2] < no_number;
      if (epc == energy && is_number && metered_[i]) {
        truth_.meters[i].on_reading(wall_of(now), counted_wh(i, now), gap_limit_ + believed_later + truth_.clock_error_max,
                                    named_, now >= doubted_until_);
      }
      at += 2 + size;
    }
    return;
  }
}

}  // namespace tomoshibi::sim
