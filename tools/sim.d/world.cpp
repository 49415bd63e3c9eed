#include "tools/sim.d/world.hpp"

#include "tools/sim.d/checkers/acks.hpp"
#include "tools/sim.d/instant_watch.hpp"

#include <cstdio>

namespace tomoshibi::sim {
namespace {

constexpr std::uint64_t fnv_prime = 0x100000001b3;
constexpr millis inspect_every = 1h;

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) { return (hash ^ value) * fnv_prime; }

}  // namespace

world::world(const options& opt, disk_factory& disks)
    : opt_(opt), random_(opt.seed), plan_(draw_plan(opt, random_.fork())), dropper_(random_.fork()) {
  calm_ = mono_time{} + opt.days * 24h;
  end_ = calm_ + convergence_budget;
  for (std::uint32_t h = 0; h < opt.homes; ++h)
    homes_.push_back(std::make_unique<home>(h, opt, plan_.traits[h], random_.fork(), disks));
  lines_.resize(opt.homes);
  boxes_.resize(opt.homes);
  first_counters_.resize(opt.homes);
  disk_ = disks.relay(make_directory(), random_.next());
  schedule_faults();
}

world::~world() = default;

void world::run() {
  start_relay();
  for (std::uint32_t h = 0; h < opt_.homes; ++h) {
    homes_[h]->start_devices(now_, said_);
    home_said(h);
    gateway_on(h);
  }
  push(mono_time{} + inspect_every, event_kind::inspect);
  instant_watch clock{opt_.homes};
  while (!heap_.empty() && heap_.next() < end_) {
    const event e = heap_.pop();
    now_ = e.at;
    ++statistics_.events;
    statistics_.trace_hash = mix(statistics_.trace_hash, static_cast<std::uint64_t>(to_ms(e.at)) << 8 | static_cast<std::uint64_t>(e.kind));
    statistics_.trace_hash = mix(statistics_.trace_hash, e.home);
    if (!clock.on_event(e)) {
      stood_still_ = true;
      return found(clock.what(e));
    }
    take(e);
    if (opt_.progress && statistics_.events % 1'000'000 == 0) report_progress();
  }
  now_ = end_;
  statistics_.sessions = sessions_;
  if (opt_.progress) std::fputc('\n', stderr);
  judge_end();
}

std::uint64_t world::counter_at_first_slot(std::uint32_t h, std::size_t appliance) const {
  return first_counters_[h].empty() ? UINT32_MAX : first_counters_[h][appliance];
}

void world::found(std::string line) {
  if (found_.size() < violations_max) found_.push_back(std::move(line));
}

void world::take(const event& e) {
  switch (e.kind) {
    case event_kind::home_wake:
    case event_kind::to_home: return take_home(e);
    case event_kind::to_gateway:
    case event_kind::gateway_wake:
    case event_kind::gateway_restart:
    case event_kind::clock_tick: return take_gateway(e);
    case event_kind::line_opened:
    case event_kind::line_refused:
    case event_kind::line_to_relay:
    case event_kind::line_to_gateway:
    case event_kind::line_closed_to_relay:
    case event_kind::line_closed_to_gateway: return take_line(e);
    case event_kind::relay_wake:
    case event_kind::relay_restart:
    case event_kind::relay_stopped:
    case event_kind::commit_done:
    case event_kind::mail_done: return take_relay(e);
    case event_kind::fault_begins: return begin_fault(plan_.faults[e.payload]);
    case event_kind::fault_ends: return end_fault(plan_.faults[e.payload]);
    case event_kind::calm: return begin_calm();
    case event_kind::inspect:
      inspect();
      return push(now_ + inspect_every, event_kind::inspect);
  }
}

void world::leak(memory_owner who) {
  constexpr std::size_t little = 64;
  const memory_turn turn{who};
  leaked_.push_back(std::make_unique<std::byte[]>(little));
}

void world::report_progress() {
  std::fprintf(stderr, "\rday %lld of %d, %llu M events", static_cast<long long>(to_ms(now_) / 86'400'000), opt_.days,
               static_cast<unsigned long long>(statistics_.events / 1'000'000));
}

relay::directory world::make_directory() const {
  relay::directory all;
  for (const auto& h : homes_) {
    const home_id id{h->number()};
    const std::string number = std::to_string(h->number());
    all.homes[id] = {.id = id, .name = "home " + number, .zone_min = 540, .watch_mode = true, .watch_since = wall_of(mono_time{})};
    const gateway_id gateway = simulated_gateway(h->number());
    all.gateways[gateway] = {.id = gateway, .home = id, .revoked = false, .certificate_sha256 = "00"};
    wire::config config{.version = 1, .poll_interval_s = opt_.poll_interval_s,
                        .gap_limit_s = static_cast<std::uint32_t>(h->gap_limit() / 1s), .appliances = {}};
    for (const auto& a : h->appliances()) {
      all.appliances[{id, a.spec.appliance}] = {.home = id, .spec = a.spec, .quiet_days = a.quiet_days, .added = wall_of(mono_time{})};
      config.appliances.push_back(a.spec);
    }
    all.configs[id] = config;
    for (std::uint32_t i = 0; i < family_contacts; ++i) {
      const contact_id c{h->number() * family_contacts + i + 1};
      all.contacts[c] = {.id = c, .home = id, .role = relay::contact_role::family, .name = "family",
                         .address = "f" + number + "@example.org", .lang = i == 0 ? relay::language::ja : relay::language::en,
                         .quiet = i == 0 ? relay::quiet_hours{} : night};
    }
  }
  const contact_id provider = provider_contact(opt_.homes);
  all.contacts[provider] = {.id = provider, .home = {}, .role = relay::contact_role::provider,
                                    .name = "provider", .address = "watch@example.org", .lang = {}, .quiet = {}};
  return all;
}

}  // namespace tomoshibi::sim
