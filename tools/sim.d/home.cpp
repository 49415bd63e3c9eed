#include "tools/sim.d/home.hpp"

#include "drivers/registry.hpp"
#include "tools/sim.d/checkers/acks.hpp"

namespace tomoshibi::sim {
namespace {

using drivers::echonet::eoj;
using drivers::echonet::twin::notice;

constexpr wall_at calendar_start = wall_from_ms(1'775'001'600'000);  // 2026-04-01T00:00Z
constexpr std::uint32_t tv = 0x060201, motion = 0x000701, door = 0x002901, plug = 0x05fd01;

drivers::echonet::twin::twin_options node_options(std::uint32_t number, std::uint64_t seed) {
  return {.identity = drivers::echonet::twin::identity_of(number + 1), .seed = seed};
}

}  // namespace

wall_at wall_of(mono_time t) { return calendar_start + t.time_since_epoch(); }

home::home(std::uint32_t number, const options& opt, prng random, disk_factory& disks)
    : number_(number),
      line_(opt.slow_line ? firmware::keep_alive{.ping_after = 300s, .silence_limit = 750s} : firmware::keep_alive{}),
      random_(random), node_(node_options(number, random_.next())), flash_(disks.gateway(number, random_.next())) {
  const habit watching{.uses_per_day = 4, .shortest = 5min, .longest = 3h, .first_hour = 6, .last_hour = 22};
  const habit walking{.uses_per_day = 12, .shortest = 5s, .longest = 5min, .first_hour = 0, .last_hour = 24};
  const habit opening{.uses_per_day = 8, .shortest = 2s, .longest = 90s, .first_hour = 6, .last_hour = 22};
  const habit cooking{.uses_per_day = 2, .shortest = 20min, .longest = 70min, .first_hour = 6, .last_hour = 19};
  plug_in(tv, wire::on_rule_kind::operation_status, watching, 3, random_.fork(), opt);
  plug_in(motion, wire::on_rule_kind::sensor_state, walking, std::nullopt, random_.fork(), opt);
  plug_in(door, wire::on_rule_kind::sensor_state, opening, 2, random_.fork(), opt);
  plug_in(plug, wire::on_rule_kind::operation_status, cooking, 3, random_.fork(), opt);
}

void home::plug_in(std::uint32_t code, wire::on_rule_kind rule, const habit& how,
                   std::optional<std::uint16_t> quiet_days, prng random, const options& opt) {
  simulated_appliance a;
  a.spec.appliance = appliance_id{static_cast<std::uint16_t>(appliances_.size() + 1)};
  a.spec.label = "appliance " + std::to_string(appliances_.size() + 1);
  a.spec.eoj = code;
  a.spec.on_rule = rule;
  a.quiet_days = quiet_days;
  a.uses = live(random, how, calendar_start, opt.days);
  a.truth = on_slots(a.uses, calendar_start, opt.days + opt.calm_days, lan_delay);
  node_.add_object(eoj{code});
  appliances_.push_back(std::move(a));
}

void home::start_devices(mono_time now, std::vector<drivers::datagram>& said) {
  node_.on_start(now, said);
  for (const auto& a : appliances_) node_.set_use(now, eoj{a.spec.eoj}, false, notice::none, said);
}

void home::on_home_wake(mono_time now, std::vector<drivers::datagram>& said) {
  const wall_at wall = wall_of(now);
  for (auto& a : appliances_) {
    while (a.next_use < a.uses.size()) {
      const use& u = a.uses[a.next_use];
      if (!a.in_use && u.from <= wall) {
        a.in_use = node_.set_use(now, eoj{a.spec.eoj}, true, notice::inf, said);
      } else if (a.in_use && u.until <= wall) {
        node_.set_use(now, eoj{a.spec.eoj}, false, notice::inf, said);
        a.in_use = false;
        ++a.next_use;
      } else {
        break;
      }
    }
  }
  if (node_.next_wake() <= now) node_.on_wake(now, said);
}

void home::on_home_datagram(mono_time now, byte_view payload, std::vector<drivers::datagram>& said) {
  node_.on_datagram(now, endpoint{gateway_address, 3610}, payload, said);
}

mono_time home::home_next() const {
  mono_time next = node_.next_wake();
  for (const auto& a : appliances_) {
    if (a.next_use >= a.uses.size()) continue;
    const use& u = a.uses[a.next_use];
    next = std::min(next, mono_time{(a.in_use ? u.until : u.from) - calendar_start});
  }
  return next;
}

bool home::metered(const simulated_appliance& a) const {
  return const_cast<home*>(this)->node_.find(eoj{a.spec.eoj})->metered();
}

std::uint32_t home::counter_wh(const simulated_appliance& a, mono_time now) {
  return node_.find(eoj{a.spec.eoj})->counter_wh(now);
}

void home::power_up(mono_time now, firmware::gateway_output& out) {
  ++boots_;
  store_ = flash_->open();
  driver_ = drivers::registry().front().make(
      {.seed = random_.next(), .identity = {static_cast<std::uint8_t>(number_)}, .log = &null_log()});
  drivers_ = {driver_.get()};
  const firmware::gateway_setup setup{.id = simulated_gateway(number_), .boot = boots_, .firmware_version = "sim",
                                      .seed = random_.next(), .built = calendar_start - 24h,
                                      .file_config = std::nullopt, .line = line_, .dials = true};
  gateway_ = std::make_unique<firmware::gateway>(setup, *store_, drivers_, null_log());
  gateway_->on_start(now, {.at = wall_of(now), .disciplined = true}, out);
}

void home::power_cut() {
  flash_->power_cut();  // first: nothing that a destructor writes is to reach it
  gateway_.reset();
  driver_.reset();
  store_.reset();
}

}  // namespace tomoshibi::sim
