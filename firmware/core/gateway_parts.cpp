#include "firmware/core/gateway_parts.hpp"

#include "firmware/core/buttons.hpp"
#include "firmware/core/catch_up.hpp"
#include "firmware/core/checkpoint.hpp"
#include "protocol/base/probe.hpp"

#include <algorithm>
#include <iterator>

namespace tomoshibi::firmware {
namespace {

constexpr std::size_t frame_length_size = 2;

result<bytes> encode_config(const wire::config& config) {
  auto frame = wire::encode_frame(config);
  if (!frame) return frame;
  return bytes{frame->begin() + frame_length_size, frame->end()};
}

result<wire::config> decode_config(byte_view data) {
  auto message = wire::decode_payload(data);
  if (!message) return std::unexpected(message.error());
  const auto* config = std::get_if<wire::config>(&*message);
  if (!config) return fail(errc::malformed, "stored configuration is another message");
  if (auto ok = check_config(*config); !ok) return std::unexpected(ok.error());
  return *config;
}

}  // namespace

gateway::parts::parts(const gateway_setup& s, outbox_store& store, std::span<drivers::driver* const> drivers,
                      log_sink& sink)
    : setup(s),
      devices(drivers),
      log(sink, "gateway"),
      outbox(store, {}, sink),
      timeline(s.built),
      uplink(s, outbox, sink) {
  config.version = 0;
}

// ---- the turn

void gateway::parts::begin_turn(mono_time now, gateway_output& out) {
  if (!outbox.loaded()) take_loaded(now, out);
  timeline.advance(now, made);
}

void gateway::parts::end_turn(mono_time now, gateway_output& out) {
  record_made(now);
  catch_up_if_wanted(now);
  commit(now);
  uplink.pump(now, out);
}

void gateway::parts::record_made(mono_time now) {
  if (!outbox.loaded() && epoch == outbox_epoch{}) return;  // never loaded: `made` keeps what little there is
  for (auto& body : made.records) {
    const bool slot = std::holds_alternative<wire::slot_closed>(body);
    if (slot) {
      ++stats.slots_closed;
      uplink.on_slot_closed(now);
    } else {
      uplink.hurry();
    }
    if (const auto* gap = std::get_if<wire::slot_gap>(&body)) stats.slots_in_gaps += gap->count;
    if (const auto* event = std::get_if<wire::event>(&body); event && event->kind == wire::event_kind::meter_rebased) {
      ++stats.meters_rebased;
    }
    outbox.append({std::move(body), stamp(now)});
  }
  made.records.clear();
  if (device_reports.empty()) return;
  uplink.hurry();
  for (const auto& record : device_reports.take(timeline.clock())) outbox.append(record);
}

void gateway::parts::catch_up_if_wanted(mono_time now) {
  const bool running = timeline.slots().running();
  const std::uint64_t sessions = uplink.counts().sessions;
  if (timeline.steps() != steps_seen || sessions != sessions_seen || running != was_running) catch_up_wanted = true;
  steps_seen = timeline.steps();
  sessions_seen = sessions;
  was_running = running;
  if (!catch_up_wanted || !running || !outbox.loaded()) return;
  if (timeline.ahead(now)) {
    const auto done = catch_up(slot_of(timeline.clock().wall(now)), outbox, timeline.slots());
    if (!done) return;  // the store failed: again in a later turn
    if (*done) {
      log.warning("slots_taken_back");
      made.checkpoint_wanted = true;
      timeline.advance(now, made);
      record_made(now);
    }
  }
  catch_up_wanted = false;
}

void gateway::parts::commit(mono_time now) {
  if (!made.checkpoint_wanted && !outbox.waiting()) return;
  if (!outbox.loaded() || !outbox.due(now)) return;
  if (timeline.slots().running()) outbox.set_checkpoint(encode_checkpoint(timeline.slots().checkpoint()));
  made.checkpoint_wanted = false;  // from here on it waits in the outbox
  outbox.commit(now, stamp(now));
}

wall_at gateway::parts::stamp(mono_time now) const {
  const auto at = timeline.clock().guess(now);
  return at ? std::max(*at, wall_at{}) : wall_at{};
}

void gateway::parts::add_event(wire::event_kind kind, std::int64_t value) {
  made.records.emplace_back(wire::event{kind, value});
}

// ---- store

void gateway::parts::take_loaded(mono_time now, gateway_output& out) {
  const bool first = outbox.load(now);
  if (!outbox.loaded()) return;
  if (outbox.take_recreated()) {
    hit(probe::outbox_recreated);
    add_event(wire::event_kind::outbox_recreated, 0);
  }
  const bool other_log = epoch != outbox_epoch{} && epoch != outbox.epoch();
  epoch = outbox.epoch();
  if (other_log) {
    if (auto data = encode_config(config); data && config_from_relay) outbox.set_config(std::move(*data));
    uplink.restart(now, out);
  }
  if (!first) return;

  const auto& initial = outbox.initial();
  if (setup.file_config) config = *setup.file_config;
  if (initial.config) {
    if (auto stored = decode_config(*initial.config); !stored) {
      log.error("stored_config_unusable", {{"err", name_of(stored.error().code)}});
    } else if (stored->version > config.version || !setup.file_config) {
      config = std::move(*stored);
      config_from_relay = true;
    }
  }
  if (initial.checkpoint) {
    if (const auto checkpoint = decode_checkpoint(*initial.checkpoint); !checkpoint) {
      log.error("checkpoint_unusable", {{"err", name_of(checkpoint.error().code)}});
    } else {
      timeline.restore(*checkpoint);
    }
  }
  constexpr std::uint64_t counted_boots_max = 0xffffffff;
  add_event(wire::event_kind::started, setup.boot <= counted_boots_max ? static_cast<std::int64_t>(setup.boot) : 0);
  apply_config(now, config, out);
  uplink.on_ready(now);
  if (early_clock) {
    auto [told_at, clock] = *early_clock;
    clock.at += now - told_at;
    early_clock.reset();
    take_clock(now, clock);
  }
}

// ---- clock

void gateway::parts::take_clock(mono_time now, const system_clock_reading& clock) {
  if (epoch == outbox_epoch{}) {  // slots begin where the checkpoint ends: not before it is known
    early_clock = {now, clock};
    return;
  }
  timeline.on_system_clock(now, clock, made);
}

void gateway::parts::take_news(mono_time now, const uplink_news& news, gateway_output& out) {
  if (news.time) timeline.on_relay_clock(now, news.time->told, news.time->round_trip, made);
  if (news.config) take_config(now, *news.config, out);
}

// ---- configuration

void gateway::parts::take_config(mono_time now, const wire::config& told, gateway_output& out) {
  wire::config_applied answer{told.version, true, {}};
  if (told.version == config.version && config_from_relay) {
    uplink.answer_config(std::move(answer));
    return;
  }
  status ok = check_config(told);
  // Of two of the same version the relay's stands over the file's.
  if (ok && (told.version < config.version || (told.version == config.version && config_from_relay))) {
    ok = fail(errc::refused, "version: higher than " + std::to_string(config.version));
  }
  auto encoded = encode_config(told);
  if (ok && !encoded) ok = std::unexpected(encoded.error());
  if (ok) {
    outbox.set_config(std::move(*encoded));
    config_from_relay = true;
    apply_config(now, told, out);
    add_event(wire::event_kind::config_applied, told.version);
    log.info("config_applied", {{"version", told.version}});
  } else {
    answer.accepted = false;
    answer.reason = ok.error().detail;
    if (refused_version != told.version) add_event(wire::event_kind::config_refused, told.version);
    refused_version = told.version;
    log.warning("config_refused", {{"version", told.version}, {"detail", ok.error().detail}});
  }
  uplink.answer_config(std::move(answer));
}

void gateway::parts::apply_config(mono_time now, const wire::config& next, gateway_output& out) {
  config = next;
  timeline.configure(now, config);
  made.checkpoint_wanted = true;
  if (!config.appliances.empty() || config.version != 0 || setup.buttons != nullptr) plan(now, out);
}

void gateway::parts::plan(mono_time now, gateway_output& out) {
  auto plan = read_plan_for(config);
  if (setup.buttons != nullptr) std::ranges::copy(button_watches(), std::back_inserter(plan.watches));
  for (std::size_t i = 0; i < devices.size(); ++i) {
    devices[i]->on_plan(now, plan, scratch);
    take_driver_output(now, i, out);
  }
}

// ---- home side

void gateway::parts::take_driver_output(mono_time now, std::size_t driver, gateway_output& out) {
  for (const auto& observation : scratch.observations) {
    tell_buttons(now, observation);
    if (const auto* reading = std::get_if<drivers::reading>(&observation)) {
      take_reading(now, *reading);
    } else if (const auto* missed = std::get_if<drivers::reading_missed>(&observation)) {
      take_missed(now, *missed);
    } else if (const auto* presence = std::get_if<drivers::device_presence>(&observation)) {
      device_reports.on_presence(now, *presence, config.appliances);
    } else {
      device_reports.on_fault(now, std::get<drivers::device_fault>(observation), config.appliances);
    }
  }
  for (auto& datagram : scratch.datagrams) {
    ++stats.datagrams_out;
    out.datagrams.push_back({driver, std::move(datagram)});
  }
  scratch.observations.clear();
  scratch.datagrams.clear();
}

void gateway::parts::tell_buttons(mono_time now, const drivers::observation& what) {
  if (setup.buttons == nullptr) return;
  if (const auto* reading = std::get_if<drivers::reading>(&what)) {
    if (is_emergency_button(reading->eoj)) setup.buttons->on_button_reading(now, stamp(now), *reading);
  } else if (const auto* presence = std::get_if<drivers::device_presence>(&what)) {
    if (is_emergency_button(presence->eoj)) setup.buttons->on_button_presence(now, stamp(now), *presence);
  }
}

void gateway::parts::take_reading(mono_time now, const drivers::reading& reading) {
  ++stats.readings;
  const auto& appliances = timeline.slots().appliances();
  bool watched = false;
  for (std::size_t i = 0; i < appliances.size(); ++i) {
    if (!serves(appliances[i], reading.device, reading.eoj)) continue;
    watched = true;
    timeline.on_reading(now, i, reduce(appliances[i], reading), made);
  }
  if (watched) ++stats.readings_watched;
}

void gateway::parts::take_missed(mono_time now, const drivers::reading_missed& missed) {
  ++stats.readings_missed;
  const auto& appliances = timeline.slots().appliances();
  for (std::size_t i = 0; i < appliances.size(); ++i) {
    if (serves(appliances[i], missed.device, missed.eoj)) timeline.on_missed(now, i);
  }
}

// ---- statistics

void gateway::parts::refresh_statistics() {
  stats.journal_dropped = timeline.held_back().dropped();
  stats.open_slot = timeline.slots().open_slot_known();
  stats.clock_known = timeline.clock().known();
  stats.clock_synced = timeline.clock().synced();
  stats.clock_steps = timeline.steps();
  stats.records_made = outbox.counts().made;
  stats.records_dropped = outbox.counts().dropped;
  stats.records_held = outbox.held();
  stats.record_bytes_held = outbox.held_bytes();
  stats.records_pending = outbox.pending();
  stats.commits = outbox.counts().commits;
  stats.commit_failures = outbox.counts().failures;
  stats.storage_ok = outbox.healthy();
  stats.uplink = uplink.state();
  stats.connects = uplink.counts().connects;
  stats.sessions = uplink.counts().sessions;
  stats.sessions_lost = uplink.counts().sessions_lost;
  stats.bytes_in = uplink.counts().bytes_in;
  stats.bytes_out = uplink.counts().bytes_out;
  stats.records_sent = uplink.counts().records_sent;
  stats.malformed = uplink.counts().malformed;
  stats.acked_seq = outbox.acknowledged();
  stats.next_seq = outbox.next();
  stats.config_version = config.version;
}

}  // namespace tomoshibi::firmware
