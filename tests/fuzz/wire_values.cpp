// Any values as a message: it is refused as too long, or it arrives as it was sent but for what the format cannot carry.
// What a later version adds to a frame is skipped. A record, once encoded, is taken back.
#include "protocol/base/check.hpp"
#include "protocol/wire/messages.hpp"
#include "tests/fuzz/input.hpp"

using namespace tomoshibi;
using namespace tomoshibi::wire;

namespace {

std::optional<wall_at> maybe_wall(fuzz::input& in) {
  if (in.flag()) return std::nullopt;
  return wall_from_ms(static_cast<std::int64_t>(in.number()));
}
wall_at any_wall(fuzz::input& in) { return maybe_wall(in).value_or(wall_at{}); }
std::optional<appliance_id> maybe_appliance(fuzz::input& in) {
  if (in.flag()) return std::nullopt;
  return static_cast<appliance_id>(in.u16());
}
// Also one past the last listed value, and zero.
template <class E>
E near(fuzz::input& in, E last) { return static_cast<E>(in.below(static_cast<std::uint32_t>(last) + 2)); }

slot_index any_slot(fuzz::input& in) { return {static_cast<std::int32_t>(in.number())}; }

slot_closed any_slot_closed(fuzz::input& in) {
  slot_closed s{.slot = any_slot(in), .time_uncertain = in.flag(), .appliances = {}};
  s.appliances.resize(in.below(appliances_max + 1));
  for (auto& a : s.appliances) {
    a = {.appliance = static_cast<appliance_id>(in.u16()), .state = near(in, slot_state::unknown), .on_seconds = in.u16(),
         .energy_wh = {}, .energy_after_gap = in.flag(), .readings_expected = in.u16(), .readings_got = in.u16()};
    if (in.flag()) a.energy_wh = static_cast<std::uint32_t>(in.number());
  }
  return s;
}
slot_gap any_gap(fuzz::input& in) {
  slot_gap g{.first_slot = any_slot(in), .count = static_cast<std::uint32_t>(in.number()),
             .reason = near(in, gap_reason::no_clock), .time_uncertain = in.flag(), .appliances = {}};
  g.appliances.resize(in.below(appliances_max + 1));
  for (auto& a : g.appliances) a = static_cast<appliance_id>(in.u16());
  return g;
}
record any_record(fuzz::input& in) {
  record r;
  switch (in.below(5)) {
    case 0: r.body = any_slot_closed(in); break;
    case 1: r.body = any_gap(in); break;
    case 2:
      r.body = device_report{.device = in.text(100), .change = near(in, device_change::back), .maker = in.u32(),
                             .appliance = maybe_appliance(in), .since = any_wall(in)};
      break;
    case 3:
      r.body = device_fault{.device = in.text(100), .faulty = in.flag(), .description = in.u32(),
                            .appliance = maybe_appliance(in)};
      break;
    default: r.body = event{.kind = near(in, event_kind::meter_rebased), .value = static_cast<std::int64_t>(in.number())};
  }
  r.made = any_wall(in);
  return r;
}
config any_config(fuzz::input& in) {
  config c{.version = in.u32(), .poll_interval_s = in.u16(), .gap_limit_s = in.u16(), .appliances = {}};
  c.appliances.resize(in.below(appliances_max + 3));
  for (auto& a : c.appliances)
    a = {.appliance = static_cast<appliance_id>(in.u16()), .label = in.text(80), .node = in.text(80),
         .eoj = static_cast<std::uint32_t>(in.number()), .on_rule = near(in, on_rule_kind::sensor_state),
         .watts_above = in.u32(), .power_w_max = static_cast<std::uint32_t>(in.number())};
  return c;
}
std::optional<std::uint64_t> maybe_number(fuzz::input& in) {
  if (in.flag()) return std::nullopt;
  return in.number();
}
press_report any_report(fuzz::input& in) {
  press_report r{.id = press_id{in.number()}, .source = near(in, press_source::drill), .button = in.text(100),
                 .occurred = maybe_wall(in), .path = near(in, press_path::direct), .was_undelivered = in.flag(),
                 .interrupted = in.flag(), .times = {}, .request = maybe_number(in)};
  for (auto* us : {&r.times.durable_us, &r.times.received_us, &r.times.accepted_us, &r.times.shown_us})
    if (in.flag()) *us = in.u32();
  return r;
}
message any_message(fuzz::input& in) {
  switch (in.below(16)) {
    case 0:
      return hello{.protocol_version = in.u32(), .gateway = in.text(60), .boot = in.number(),
                   .firmware_version = in.text(60), .epoch = outbox_epoch{in.number()}, .oldest_seq = in.number(),
                   .next_seq = in.number(), .config_version = in.u32(), .wall = maybe_wall(in), .clock_synced = in.flag()};
    case 1:
      return welcome{.protocol_version = in.u32(), .acked_seq = in.number(), .wall = any_wall(in), .config_version = in.u32()};
    case 2: {
      records r{.first_seq = in.number(), .items = {}};
      for (auto n = in.below(12); n > 0; --n) r.items.push_back(any_record(in));
      return r;
    }
    case 3: return ack{in.number()};
    case 4: return any_config(in);
    case 5: return config_applied{.version = in.u32(), .accepted = in.flag(), .reason = in.text(200)};
    case 6: return ping{in.number()};
    case 7: return pong{.nonce = in.number(), .wall = maybe_wall(in)};
    case 8:
      return press{.id = press_id{in.number()}, .source = near(in, press_source::drill), .button = in.text(100),
                   .occurred = maybe_wall(in), .age_ms = in.u32(), .request = maybe_number(in)};
    case 9: return press_news{.id = press_id{in.number()}, .stage = near(in, press_stage::closed)};
    case 10:
      return lane_hello{.protocol_version = in.u32(), .gateway = in.text(60), .boot = in.number(), .firmware_version = in.text(60)};
    case 11: return lane_welcome{any_wall(in)};
    case 12: return any_report(in);
    case 13: {
      box_state b;
      b.troubles.resize(in.below(troubles_max + 3));
      for (trouble& t : b.troubles) t = {near(in, trouble_kind::direct_path_down), in.text(100)};
      return b;
    }
    case 14: return drill_request{in.number()};
    default: return bye{.reason = near(in, bye_reason::unknown_gateway), .text = in.text(200)};
  }
}

void check_extended(byte_view payload, const message& m, fuzz::input& in) {
  bytes longer{payload.begin(), payload.end()};
  // Field 1000 with a length: tag 8002, as a base-128 number c2 3e.
  const byte_view later = in.part(20);
  put_bytes(longer, bytes{0xc2, 0x3e, static_cast<std::uint8_t>(later.size())});
  put_bytes(longer, later);
  if (longer.size() > frame_payload_max) return;
  const auto again = decode_payload(longer);
  TOMO_REQUIRE(again.has_value() && *again == m);
}

void check_message(fuzz::input& in) {
  const message m = any_message(in);
  const auto frame = encode_frame(m);
  if (!frame) {
    TOMO_REQUIRE(frame.error().code == errc::too_long);
    return;
  }
  TOMO_REQUIRE(frame->size() <= frame_payload_max + 2 && byte_reader{*frame}.u16() == frame->size() - 2);
  const byte_view payload = byte_view{*frame}.subspan(2);
  const auto got = decode_payload(payload);
  if (!got) return;  // a value outside its range: the receiver's to refuse
  TOMO_REQUIRE(got->index() == m.index());
  // Texts were cut and cleaned once; from here on nothing changes.
  const auto again = encode_frame(*got);
  TOMO_REQUIRE(again.has_value() && *again == *frame);
  check_extended(payload, *got, in);
}

void check_record(byte_view data) {
  const auto r = decode_record(data);
  if (!r) return;
  const auto once = encode_record(*r);
  TOMO_REQUIRE(once.size() <= record_bytes_max);
  const auto again = decode_record(once);
  TOMO_REQUIRE(again.has_value() && *again == *r);
  records_builder frame{1};
  TOMO_REQUIRE(frame.add(once));
  const auto got = decode_payload(byte_view{frame.frame()}.subspan(2));
  TOMO_REQUIRE(got.has_value() && std::get<records>(*got).items == std::vector{*r});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in{data, size};
  if (in.flag()) check_message(in);
  else check_record(in.rest());
  return 0;
}
