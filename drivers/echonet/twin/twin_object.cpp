#include "drivers/echonet/twin/twin_object.hpp"

#include <algorithm>

namespace tomoshibi::drivers::echonet::twin {

namespace {

constexpr std::uint64_t watt_ms_per_wh = 3'600'000;
constexpr std::uint64_t counter_wh_end = 1'000'000'000;  // the counter goes from 999'999'999 to 0
constexpr std::uint64_t counter_end = counter_wh_end * watt_ms_per_wh;

bool is_map(epc_code epc) { return epc >= epc::inf_map && epc <= epc::get_map; }

void put_power(power_unit unit, std::uint32_t watts, bytes& out) {
  switch (unit) {
    case power_unit::none: break;
    case power_unit::watt_u16: put_u16(out, static_cast<std::uint16_t>(std::min(watts, 65'533u))); break;
    case power_unit::watt_i32: put_u32(out, watts); break;
    case power_unit::deciwatt_i16: put_u16(out, static_cast<std::uint16_t>(std::min(watts * 10, 32'765u))); break;
    case power_unit::hectowatt_i16: put_u16(out, static_cast<std::uint16_t>(watts / 100)); break;
  }
}

}  // namespace

void twin_object::define(epc_code epc, std::uint8_t access, byte_view value) {
  auto at = std::lower_bound(properties_.begin(), properties_.end(), epc,
                             [](const twin_property& p, epc_code c) { return p.epc < c; });
  if (at == properties_.end() || at->epc != epc) at = properties_.insert(at, twin_property{});
  at->epc = epc;
  at->access = access;
  at->size = static_cast<std::uint8_t>(std::min(value.size(), value_max));
  std::copy_n(value.begin(), at->size, at->value.begin());
  at->first_size = at->size;
  at->first_value = at->value;
}

const twin_property* twin_object::find(epc_code epc) const {
  const auto at = std::lower_bound(properties_.begin(), properties_.end(), epc,
                                   [](const twin_property& p, epc_code c) { return p.epc < c; });
  return at != properties_.end() && at->epc == epc ? &*at : nullptr;
}

bool twin_object::set(epc_code epc, byte_view value) {
  const auto at = std::lower_bound(properties_.begin(), properties_.end(), epc,
                                   [](const twin_property& p, epc_code c) { return p.epc < c; });
  if (at == properties_.end() || at->epc != epc || value.size() > value_max) return false;
  at->size = static_cast<std::uint8_t>(value.size());
  std::copy(value.begin(), value.end(), at->value.begin());
  return true;
}

void twin_object::forget() {
  for (twin_property& p : properties_) {
    p.size = p.first_size;
    p.value = p.first_value;
  }
}

void twin_object::make_metered(std::uint32_t watts_idle, std::uint32_t watts_used) {
  const class_info& info = info_of(id_.code());
  metered_ = true;
  watts_idle_ = watts_idle;
  watts_used_ = watts_used;
  watts_ = watts_idle;
  // The values are made up when they are read.
  define(power_epc_of(info, std::nullopt), can_get, {});
  define(info.energy_epc, can_get, {});
}

void twin_object::run_meter(mono_time now) {
  if (now <= counted_at_) return;
  counted_ += static_cast<std::uint64_t>((now - counted_at_).count()) * watts_;
  counted_ %= counter_end;
  counted_at_ = now;
}

void twin_object::set_load(mono_time now, std::uint32_t watts) {
  run_meter(now);
  watts_ = watts;
}

void twin_object::set_counter(mono_time now, std::uint32_t wh) {
  run_meter(now);
  counted_ = wh % counter_wh_end * watt_ms_per_wh;
}

std::uint32_t twin_object::counter_wh(mono_time now) {
  run_meter(now);
  return static_cast<std::uint32_t>(counted_ / watt_ms_per_wh);
}

bool twin_object::read(mono_time now, epc_code epc, bytes& out) {
  const twin_property* const p = find(epc);
  if (p == nullptr || (p->access & can_get) == 0) return false;
  if (metered_) {
    const class_info& info = info_of(id_.code());
    if (epc == info.energy_epc) {
      put_u32(out, counter_wh(now));
      return true;
    }
    if (epc == info.powers[0].epc) {
      put_power(info.powers[0].unit, watts_, out);
      return true;
    }
  }
  if (is_map(epc)) {
    map_of(epc == epc::inf_map ? can_inf : epc == epc::set_map ? can_set : can_get).encode(out);
    return true;
  }
  put_bytes(out, p->bytes_of());
  return true;
}

property_map twin_object::map_of(std::uint8_t access) const {
  property_map out;
  for (const twin_property& p : properties_) {
    if ((p.access & access) != 0) out.insert(p.epc);
  }
  return out;
}

}  // namespace tomoshibi::drivers::echonet::twin
