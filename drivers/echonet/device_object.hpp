// One device object of a remote node: what it can do, what is wanted of it, and how its answers become readings.
#pragma once

#include "drivers/driver.hpp"
#include "drivers/echonet/classes.hpp"
#include "drivers/echonet/node_session.hpp"
#include "drivers/echonet/poller.hpp"
#include "drivers/echonet/property_bag.hpp"

#include <array>
#include <optional>

namespace tomoshibi::drivers::echonet {

class device_object {
public:
  explicit device_object(eoj id) : id_(id), info_(&info_of(id.code())) {}

  eoj id() const { return id_; }
  const device_key& key() const { return key_; }
  void set_key(std::string_view node_identity);  // makes "<identity>/<eoj>"

  // Description: property maps and maker code, asked once.
  bool described() const { return described_; }
  mono_time describe_due() const { return described_ ? never : describe_due_; }
  job describe_job() const;
  // False: some maps are still unknown, and it will be asked again.
  bool take_description(mono_time now, const property_bag& values, job_end end);
  void describe_again(mono_time now);
  std::uint32_t maker() const { return maker_; }
  const std::optional<property_map>& announced() const { return inf_; }

  // What the watches want of this object; nothing: it is not polled.
  struct wants {
    bool operation_status = false;
    bool power = false;
    bool energy = false;
    bool sensor_state = false;
    bool any() const { return operation_status || power || energy || sensor_state; }
  };
  void set_wants(const wants& w);
  bool wanted() const { return wants_.any(); }

  // Empty (count 0) if the object can give nothing of what is wanted.
  job poll_job();
  // Values of a poll that still runs, each once; faults wait for its end.
  std::optional<reading> take_part(const property_bag& values);
  // The end of a poll: what no part has told; refusals are remembered. At least one value: a reading.
  std::optional<reading> take_poll(const property_bag& values);
  // Values that came by themselves or late.
  std::optional<reading> take_values(const property_list& values, bool polled);
  std::optional<device_fault> take_fault_change();

  // The device may have started anew: its first state is doubted again.
  void doubt_state() { state_believed_ = false; }

  echonet::poller& poll() { return poll_; }
  const echonet::poller& poll() const { return poll_; }

private:
  static constexpr std::size_t polled_max = 4;  // status, sensor, power, energy
  struct polled_property {
    epc_code epc = 0;
    std::uint8_t refusals = 0;
  };
  void choose_properties();
  void take_value(epc_code code, byte_view value, bool polled, reading& into);
  void take_new_values(const property_bag& values, reading& into);
  bool has_fault() const { return faulty_.value_or(false); }
  reading empty_reading(bool polled) const;

  eoj id_;
  const class_info* info_;
  device_key key_;

  bool described_ = false;
  std::uint8_t describe_tries_ = 0;
  mono_time describe_due_ = mono_time::min();
  std::optional<property_map> get_;
  std::optional<property_map> set_;
  std::optional<property_map> inf_;
  std::uint32_t maker_ = 0;

  wants wants_;
  std::array<polled_property, polled_max> polled_{};
  std::size_t polled_count_ = 0;
  std::uint32_t polls_ = 0;
  std::size_t values_taken_ = 0;  // of the poll that runs
  decltype(reading::told) told_;
  echonet::poller poll_;
  bool state_believed_ = false;

  std::optional<bool> faulty_;  // as told; nothing: not yet, and a fault told by an earlier run may have ended
  bool fault_changed_ = false;
  std::uint16_t fault_description_ = 0;
};

}  // namespace tomoshibi::drivers::echonet
