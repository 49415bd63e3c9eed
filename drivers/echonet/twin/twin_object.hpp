// One device object of a twin: its properties, and an energy meter that runs with time.
#pragma once

#include "drivers/echonet/classes.hpp"
#include "drivers/echonet/eoj.hpp"
#include "drivers/echonet/property_map.hpp"
#include "protocol/base/bytes.hpp"
#include "protocol/base/time.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace tomoshibi::drivers::echonet::twin {

// What may be done with a property; added up.
inline constexpr std::uint8_t can_get = 1;
inline constexpr std::uint8_t can_set = 2;
inline constexpr std::uint8_t can_inf = 4;

inline constexpr std::size_t value_max = 17;  // bytes; longer values are made up when asked for

struct twin_property {
  epc_code epc = 0;
  std::uint8_t access = can_get;
  std::uint8_t size = 0;
  std::array<std::uint8_t, value_max> value{};
  std::uint8_t first_size = 0;                     // as made, for a power cut
  std::array<std::uint8_t, value_max> first_value{};
  byte_view bytes_of() const { return {value.data(), size}; }
};

class twin_object {
public:
  explicit twin_object(eoj id) : id_(id) {}

  eoj id() const { return id_; }
  void define(epc_code epc, std::uint8_t access, byte_view value);
  void define(epc_code epc, std::uint8_t access, std::initializer_list<std::uint8_t> value) {
    define(epc, access, byte_view{value.begin(), value.size()});
  }
  const twin_property* find(epc_code epc) const;
  // False: there is no such property, or the value is too long.
  bool set(epc_code epc, byte_view value);
  void forget();  // every value as it was made; the meter keeps its count

  // The meter. Energy and power are then answered from it, in the class's own properties and units.
  void make_metered(std::uint32_t watts_idle, std::uint32_t watts_used);
  bool metered() const { return metered_; }
  void start_meter(mono_time now) { counted_at_ = now; }
  std::uint32_t watts_when(bool used) const { return used ? watts_used_ : watts_idle_; }
  void set_load(mono_time now, std::uint32_t watts);
  void set_counter(mono_time now, std::uint32_t wh);
  std::uint32_t counter_wh(mono_time now);
  std::uint32_t load_w() const { return watts_; }

  // Appends the value as it is now. False: it cannot be read.
  bool read(mono_time now, epc_code epc, bytes& out);

  property_map map_of(std::uint8_t access) const;

private:
  void run_meter(mono_time now);
  eoj id_;
  std::vector<twin_property> properties_;  // sorted by code
  bool metered_ = false;
  std::uint32_t watts_idle_ = 0;
  std::uint32_t watts_used_ = 0;
  std::uint32_t watts_ = 0;
  std::uint64_t counted_ = 0;  // W x ms
  mono_time counted_at_{};
};

}  // namespace tomoshibi::drivers::echonet::twin
