#include "firmware/core/checkpoint.hpp"

#include <algorithm>

namespace tomoshibi::firmware {
namespace {

constexpr std::uint8_t version = 1;
constexpr std::size_t checksum_size = 4;

enum : std::uint8_t { flag_on = 1, flag_missing = 2, flag_energy = 4, flag_after_gap = 8, flag_meter = 16, flags_all = 31 };

std::uint32_t checksum_of(byte_view data) {
  std::uint32_t hash = 0x811c9dc5u;
  for (const std::uint8_t b : data) hash = (hash ^ b) * 0x01000193u;
  return hash;
}

void put_u64(bytes& out, std::uint64_t v) {
  put_u32(out, static_cast<std::uint32_t>(v >> 32));
  put_u32(out, static_cast<std::uint32_t>(v));
}
std::uint64_t get_u64(byte_reader& in) {
  const std::uint64_t high = in.u32();
  return high << 32 | in.u32();
}
void put_time(bytes& out, wall_at at) { put_u64(out, static_cast<std::uint64_t>(to_ms(at))); }
wall_at get_time(byte_reader& in) { return wall_from_ms(static_cast<std::int64_t>(get_u64(in))); }
void put_slot(bytes& out, slot_index slot) { put_u32(out, static_cast<std::uint32_t>(slot.value)); }
slot_index get_slot(byte_reader& in) { return {static_cast<std::int32_t>(in.u32())}; }

// Far from the ends of int64 so that no arithmetic on times can overflow; year -2000 .. 6000.
bool sane(wall_at at) {
  constexpr std::int64_t limit = std::int64_t{1} << 47;
  return to_ms(at) > -limit && to_ms(at) < limit;
}
bool sane(slot_index slot) { return slot.value > -(1 << 28) && slot.value < 1 << 28; }

void put_appliance(bytes& out, const aggregator_checkpoint::appliance& a) {
  const auto& s = a.account;
  int flags = 0;
  if (s.on) flags |= flag_on;
  if (s.missing) flags |= flag_missing;
  if (s.has_energy) flags |= flag_energy;
  if (s.after_gap) flags |= flag_after_gap;
  if (a.meter) flags |= flag_meter;
  put_u16(out, static_cast<std::uint16_t>(a.id));
  put_u8(out, static_cast<std::uint8_t>(flags));
  put_u32(out, static_cast<std::uint32_t>(std::min<std::int64_t>(s.on_ms, UINT32_MAX)));
  put_u32(out, s.energy_wh);
  put_u16(out, s.expected);
  put_u16(out, s.got);
  if (!a.meter) return;
  put_u64(out, a.meter->meter);
  put_u32(out, a.meter->counter_wh);
  put_time(out, a.meter->at);
  put_slot(out, a.meter->slot);
}

status get_appliance(byte_reader& in, aggregator_checkpoint& out) {
  aggregator_checkpoint::appliance a;
  a.id = appliance_id{in.u16()};
  const unsigned flags = in.u8();
  a.account.on = (flags & flag_on) != 0;
  a.account.missing = (flags & flag_missing) != 0;
  a.account.has_energy = (flags & flag_energy) != 0;
  a.account.after_gap = (flags & flag_after_gap) != 0;
  a.account.on_ms = in.u32();
  a.account.energy_wh = in.u32();
  a.account.expected = in.u16();
  a.account.got = in.u16();
  if ((flags & flag_meter) != 0) {
    meter_baseline meter;
    meter.meter = get_u64(in);
    meter.counter_wh = in.u32();
    meter.at = get_time(in);
    meter.slot = get_slot(in);
    if (!sane(meter.at) || !sane(meter.slot)) return fail(errc::malformed, "checkpoint: meter time");
    a.meter = meter;
  }
  if (!in.ok()) return fail(errc::truncated, "checkpoint: appliance");
  if (flags > flags_all || a.id == appliance_id{}) return fail(errc::malformed, "checkpoint: appliance");
  for (const auto& other : out.appliances) {
    if (other.id == a.id) return fail(errc::malformed, "checkpoint: appliance twice");
  }
  out.appliances.push_back(a);
  return {};
}

}  // namespace

bytes encode_checkpoint(const aggregator_checkpoint& checkpoint) {
  bytes out;
  out.reserve(19 + checkpoint.appliances.size() * 39);
  put_u8(out, version);
  put_slot(out, checkpoint.open);
  put_time(out, checkpoint.at);
  put_u8(out, checkpoint.uncertain ? 1 : 0);
  put_u8(out, static_cast<std::uint8_t>(checkpoint.appliances.size()));
  for (const auto& a : checkpoint.appliances) put_appliance(out, a);
  put_u32(out, checksum_of(out));
  return out;
}

result<aggregator_checkpoint> decode_checkpoint(byte_view data) {
  if (data.size() < 1 + checksum_size) return fail(errc::truncated, "checkpoint");
  if (data[0] != version) return fail(errc::unsupported, "checkpoint: version " + std::to_string(data[0]));
  const byte_view body = data.first(data.size() - checksum_size);
  byte_reader sum{data.last(checksum_size)};
  if (sum.u32() != checksum_of(body)) return fail(errc::malformed, "checkpoint: checksum");

  byte_reader in{body.subspan(1)};
  aggregator_checkpoint out;
  out.open = get_slot(in);
  out.at = get_time(in);
  const std::uint8_t flags = in.u8();
  const std::size_t count = in.u8();
  if (!in.ok()) return fail(errc::truncated, "checkpoint: head");
  if (flags > 1 || count > wire::appliances_max) return fail(errc::malformed, "checkpoint: head");
  if (!sane(out.at) || !sane(out.open)) return fail(errc::malformed, "checkpoint: time");
  out.uncertain = flags == 1;
  for (std::size_t i = 0; i < count; ++i) {
    if (auto ok = get_appliance(in, out); !ok) return std::unexpected(ok.error());
  }
  if (in.left() != 0) return fail(errc::malformed, "checkpoint: bytes left over");
  return out;
}

}  // namespace tomoshibi::firmware
