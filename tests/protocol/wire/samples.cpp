#include "tests/protocol/wire/samples.hpp"

namespace tomoshibi::wire {
namespace {

const slot_index sample_slot{1'996'800};  // 2026-12-13T00:00Z

hello sample_hello() {
  return {.gateway = "box-17",
          .boot = 0x0123456789abcdef,
          .firmware_version = "0.1.0",
          .epoch = outbox_epoch{0xfedcba9876543210},
          .oldest_seq = 300,
          .next_seq = 70'000,
          .config_version = 4,
          .wall = start_of(sample_slot) + 123ms,
          .clock_synced = true};
}

records sample_records() {
  slot_closed closed{.slot = sample_slot, .time_uncertain = true, .appliances = {}};
  closed.appliances.push_back({.appliance = appliance_id{1}, .state = slot_state::on, .on_seconds = 900,
                               .energy_wh = 25, .energy_after_gap = true, .readings_expected = 15,
                               .readings_got = 14});
  closed.appliances.push_back({.appliance = appliance_id{65'535}, .state = slot_state::off, .on_seconds = 0,
                               .energy_wh = 0, .energy_after_gap = false, .readings_expected = 15,
                               .readings_got = 15});
  closed.appliances.push_back({.appliance = appliance_id{3}, .state = slot_state::unknown, .on_seconds = 0,
                               .energy_wh = {}, .energy_after_gap = false, .readings_expected = 15,
                               .readings_got = 0});
  const slot_gap gap{.first_slot = sample_slot + 1, .count = gap_slots_max, .reason = gap_reason::clock_step,
                     .time_uncertain = true, .appliances = {appliance_id{1}, appliance_id{300}}};
  const device_report report{.device = "fe00007700000000000000000000000001/0602:01", .change = device_change::silent,
                             .maker = 0x77, .appliance = appliance_id{1}, .since = start_of(sample_slot)};
  const device_fault fault{.device = "192.0.2.7/03b7:01", .faulty = true, .description = 0x3e8,
                           .appliance = appliance_id{2}};
  const event stepped{.kind = event_kind::clock_stepped, .value = -86'400'000};
  const wall_at made = end_of(sample_slot) + 40ms;
  return {.first_seq = 69'990, .items = {{closed, made}, {gap, made}, {report, made}, {fault, made}, {stepped, {}}}};
}

config sample_config() {
  config c{.version = 5, .poll_interval_s = 60, .gap_limit_s = 180, .appliances = {}};
  c.appliances.push_back({.appliance = appliance_id{1}, .label = "居間のテレビ", .node = "fe0000770000000000",
                          .eoj = 0x060201, .on_rule = on_rule_kind::watts_above, .watts_above = 20,
                          .power_w_max = 1500});
  c.appliances.push_back({.appliance = appliance_id{2}, .label = "Fridge door", .node = "", .eoj = 0x002900,
                          .on_rule = on_rule_kind::sensor_state, .watts_above = 0, .power_w_max = 3000});
  return c;
}

template <class E>
E any_of(prng& random, E last) {
  return static_cast<E>(random.between(1, static_cast<std::int64_t>(last)));
}

std::string random_text(prng& random, std::size_t size_max) {
  static const char* const characters[] = {"a", "Z", "-", " ", "é", "灯", "火", "\xf0\x9f\x93\xba"};
  std::string out;
  const std::size_t wanted = random.below(size_max + 1);
  for (;;) {
    const std::string_view c = characters[random.below(std::size(characters))];
    if (out.size() + c.size() > wanted) return out;
    out += c;
  }
}

std::uint64_t random_number(prng& random) { return random.next() >> random.below(64); }

slot_index random_slot(prng& random) { return {static_cast<std::int32_t>(random.between(0, slot_value_max))}; }
wall_at random_wall(prng& random) {
  return wall_from_ms(random.between(0, to_ms(end_of(slot_index{slot_value_max}))));
}
appliance_id random_appliance(prng& random) { return static_cast<appliance_id>(random.between(1, 65'535)); }
std::optional<appliance_id> maybe_appliance(prng& random) {
  if (random.chance(500)) return std::nullopt;
  return random_appliance(random);
}

slot_closed random_slot_closed(prng& random) {
  slot_closed s{.slot = random_slot(random), .time_uncertain = random.chance(500), .appliances = {}};
  s.appliances.resize(random.below(appliances_max + 1));
  for (auto& a : s.appliances) {
    a = {.appliance = random_appliance(random), .state = any_of(random, slot_state::unknown),
         .on_seconds = static_cast<std::uint16_t>(random.below(901)), .energy_wh = {},
         .energy_after_gap = random.chance(500),
         .readings_expected = static_cast<std::uint16_t>(random_number(random)),
         .readings_got = static_cast<std::uint16_t>(random_number(random))};
    if (random.chance(700)) a.energy_wh = static_cast<std::uint32_t>(random_number(random));
  }
  return s;
}

slot_gap random_gap(prng& random) {
  slot_gap g{.first_slot = random_slot(random), .count = static_cast<std::uint32_t>(random.between(1, gap_slots_max)),
             .reason = any_of(random, gap_reason::no_clock), .time_uncertain = random.chance(500), .appliances = {}};
  g.appliances.resize(random.below(appliances_max + 1));
  for (auto& a : g.appliances) a = random_appliance(random);
  return g;
}

config random_config(prng& random) {
  config c{.version = static_cast<std::uint32_t>(random_number(random)),
           .poll_interval_s = static_cast<std::uint32_t>(random.between(1, 900)), .gap_limit_s = 0, .appliances = {}};
  c.gap_limit_s = static_cast<std::uint32_t>(random.between(c.poll_interval_s, 3600));
  c.appliances.resize(random.below(appliances_max - 4));
  for (auto& a : c.appliances)
    a = {.appliance = random_appliance(random), .label = random_text(random, label_bytes_max),
         .node = random_text(random, device_key_max), .eoj = static_cast<std::uint32_t>(random.below(0x1000000)),
         .on_rule = any_of(random, on_rule_kind::sensor_state),
         .watts_above = static_cast<std::uint32_t>(random_number(random)),
         .power_w_max = static_cast<std::uint32_t>(random.between(1, 100'000))};
  return c;
}

records random_records(prng& random) {
  records out{.first_seq = random_number(random) / 2 + 1, .items = {}};
  std::size_t room = 3'900;
  for (;;) {
    record r = random_record(random);
    const std::size_t size = encode_record(r).size() + 3;
    if (size > room) break;
    room -= size;
    out.items.push_back(std::move(r));
  }
  return out;
}

std::optional<std::uint64_t> maybe_number(prng& random) {
  if (random.chance(500)) return std::nullopt;
  return random_number(random);
}

press_report random_report(prng& random) {
  const auto maybe_us = [&random] { return maybe_number(random).transform([](std::uint64_t n) { return static_cast<std::uint32_t>(n); }); };
  press_report r{.id = press_id{random.next() | 1}, .source = any_of(random, press_source::drill),
                 .button = random_text(random, device_key_max), .occurred = {},
                 .path = static_cast<press_path>(random.below(3)), .was_undelivered = random.chance(500),
                 .interrupted = random.chance(500),
                 .times = {.durable_us = maybe_us(), .received_us = maybe_us(), .accepted_us = maybe_us(), .shown_us = maybe_us()},
                 .request = maybe_number(random)};
  if (random.chance(500)) r.occurred = random_wall(random);
  return r;
}

}  // namespace

record random_record(prng& random) {
  record r;
  switch (random.below(5)) {
    case 0: r.body = random_slot_closed(random); break;
    case 1: r.body = random_gap(random); break;
    case 2:
      r.body = device_report{.device = random_text(random, device_key_max),
                             .change = any_of(random, device_change::back),
                             .maker = static_cast<std::uint32_t>(random_number(random)),
                             .appliance = maybe_appliance(random), .since = random_wall(random)};
      break;
    case 3:
      r.body = device_fault{.device = random_text(random, device_key_max), .faulty = random.chance(500),
                            .description = static_cast<std::uint32_t>(random_number(random)),
                            .appliance = maybe_appliance(random)};
      break;
    default:
      r.body = event{.kind = any_of(random, event_kind::meter_rebased),
                     .value = static_cast<std::int64_t>(random_number(random))};
  }
  if (random.chance(800)) r.made = random_wall(random);
  return r;
}

message random_message(prng& random) {
  switch (random.below(16)) {
    case 0: {
      hello h{.protocol_version = static_cast<std::uint32_t>(random_number(random)),
              .gateway = random_text(random, 32), .boot = random.next(),
              .firmware_version = random_text(random, version_bytes_max), .epoch = outbox_epoch{random.next()},
              .oldest_seq = random_number(random) / 2 + 1, .next_seq = 0,
              .config_version = static_cast<std::uint32_t>(random_number(random)), .wall = {},
              .clock_synced = random.chance(500)};
      h.next_seq = h.oldest_seq + random_number(random) / 4;
      if (random.chance(500)) h.wall = random_wall(random);
      return h;
    }
    case 1:
      return welcome{.protocol_version = static_cast<std::uint32_t>(random_number(random)),
                     .acked_seq = random_number(random), .wall = random_wall(random),
                     .config_version = static_cast<std::uint32_t>(random_number(random))};
    case 2: {
      records r = random_records(random);
      if (r.items.empty()) r.items.push_back({event{}, {}});
      return r;
    }
    case 3: return ack{random_number(random)};
    case 4: return random_config(random);
    case 5:
      return config_applied{.version = static_cast<std::uint32_t>(random_number(random)),
                            .accepted = random.chance(500), .reason = random_text(random, text_bytes_max)};
    case 6: return ping{random_number(random)};
    case 7: {
      pong p{.nonce = random_number(random), .wall = {}};
      if (random.chance(500)) p.wall = random_wall(random);
      return p;
    }
    case 8: {
      press p{.id = press_id{random.next() | 1}, .source = any_of(random, press_source::drill),
              .button = random_text(random, device_key_max), .occurred = {},
              .age_ms = static_cast<std::uint32_t>(random_number(random)), .request = maybe_number(random)};
      if (random.chance(500)) p.occurred = random_wall(random);
      return p;
    }
    case 9:
      return press_news{.id = press_id{random.next() | 1},
                        .stage = static_cast<press_stage>(random.between(2, static_cast<std::int64_t>(press_stage::closed)))};
    case 10:
      return lane_hello{.protocol_version = static_cast<std::uint32_t>(random_number(random)),
                        .gateway = random_text(random, 32), .boot = random.next(),
                        .firmware_version = random_text(random, version_bytes_max)};
    case 11: return lane_welcome{random_wall(random)};
    case 12: return random_report(random);
    case 13: {
      box_state b;
      b.troubles.resize(random.below(40));
      for (trouble& t : b.troubles) t = {any_of(random, trouble_kind::direct_path_down), random_text(random, device_key_max)};
      return b;
    }
    case 14: return drill_request{random.next() | 1};
    default:
      return bye{.reason = any_of(random, bye_reason::unknown_gateway), .text = random_text(random, text_bytes_max)};
  }
}

std::vector<std::pair<std::string, message>> named_samples() {
  return {{"hello", sample_hello()},
          {"hello_first", hello{.gateway = "a", .firmware_version = "", .wall = {}}},
          {"welcome", welcome{.acked_seq = 69'989, .wall = start_of(sample_slot) + 1ms, .config_version = 5}},
          {"records", sample_records()},
          {"ack", ack{69'994}},
          {"config", sample_config()},
          {"config_applied", config_applied{.version = 5, .accepted = false, .reason = "appliance 2: no such class"}},
          {"ping", ping{77}},
          {"pong_relay", pong{.nonce = 77, .wall = start_of(sample_slot) + 31s}},
          {"pong_gateway", pong{.nonce = 78, .wall = {}}},
          {"bye", bye{.reason = bye_reason::replaced, .text = "a newer connection of this gateway"}},
          {"press", press{.id = press_id{0x0123456789abcdef}, .source = press_source::first_aid,
                          .button = "fe00007700000000000000000000000001/000401", .occurred = start_of(sample_slot) + 7ms,
                          .age_ms = 65'000, .request = {}}},
          {"press_drill", press{.id = press_id{1}, .source = press_source::drill, .button = "", .occurred = {}, .age_ms = 0,
                                .request = {}}},
          {"press_requested", press{.id = press_id{2}, .source = press_source::drill, .button = "", .occurred = {},
                                    .age_ms = 1, .request = 0xfedcba9876543210}},
          {"press_news", press_news{.id = press_id{0x0123456789abcdef}, .stage = press_stage::accepted}},
          {"press_news_closed", press_news{.id = press_id{0x0123456789abcdef}, .stage = press_stage::closed}},
          {"lane_hello", lane_hello{.gateway = "box-17", .boot = 0x0123456789abcdef, .firmware_version = "0.1.0"}},
          {"lane_welcome", lane_welcome{start_of(sample_slot) + 1ms}},
          {"press_report", press_report{.id = press_id{0x0123456789abcdef}, .source = press_source::first_aid,
                                        .button = "fe00007700000000000000000000000001/000401",
                                        .occurred = start_of(sample_slot) + 7ms, .path = press_path::direct,
                                        .was_undelivered = true, .interrupted = true,
                                        .times = {.durable_us = 3'900, .received_us = 12'000, .accepted_us = 31'000'000,
                                                  .shown_us = 31'004'000},
                                        .request = 0xfedcba9876543210}},
          {"press_report_interim", press_report{.id = press_id{1}, .source = press_source::box, .button = "", .occurred = {},
                                                .times = {.durable_us = 0, .received_us = {}, .accepted_us = {}, .shown_us = {}},
                                                .request = {}}},
          {"box_state", box_state{{{trouble_kind::button_silent, "fe00007700000000000000000000000001/000301"},
                                   {trouble_kind::direct_path_down, ""}}}},
          {"box_state_well", box_state{}},
          {"drill_request", drill_request{0xfedcba9876543210}}};
}

}  // namespace tomoshibi::wire
