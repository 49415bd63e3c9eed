// The device's side of the conversation: one ECHONET node with any number of device objects, without a socket or a clock.
//
// It answers what it is asked, announces what changes, and misbehaves as its faults say, the same for the same seed.
// Used by tests, by the simulated home and by the simulator. Turn rules as for a driver: outputs are appended to `out`;
// a datagram without an address goes to the multicast group, every other one to port 3610 of its address.
#pragma once

#include "drivers/driver.hpp"
#include "drivers/echonet/frame.hpp"
#include "drivers/echonet/limits.hpp"
#include "drivers/echonet/twin/twin_faults.hpp"
#include "drivers/echonet/twin/twin_object.hpp"
#include "protocol/base/prng.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace tomoshibi::drivers::echonet::twin {

using node_identity = std::array<std::uint8_t, 17>;  // property 0x83
node_identity identity_of(std::uint64_t number);     // FE, maker, then the number in the last 8 bytes

struct twin_options {
  node_identity identity{};
  std::uint32_t maker = 0xffffff;
  millis answer_delay{0};  // 0: answers within the turn
  std::uint64_t seed = 1;
};

enum class notice : std::uint8_t { none, inf, infc };

class twin_node {
public:
  explicit twin_node(const twin_options& options);

  // Before on_start. A class without a preset gets the superclass properties only.
  twin_object& add_object(eoj id);
  void add_fault(const fault& f) { faults_.add(f); }

  void on_start(mono_time now, std::vector<datagram>& out);
  void on_datagram(mono_time now, const endpoint& from, byte_view payload, std::vector<datagram>& out);
  void on_wake(mono_time now, std::vector<datagram>& out);
  mono_time next_wake() const;

  // What happens at the appliance. `tell` applies to properties that the device announces at all.
  bool set_property(mono_time now, eoj id, epc_code epc, byte_view value, notice tell, std::vector<datagram>& out);
  // The appliance is in use or not, in the words of its class: TV on, cooker cooking, door open, motion, button pressed;
  // a metered object takes its load.
  bool set_use(mono_time now, eoj id, bool used, notice tell, std::vector<datagram>& out);
  bool set_load(mono_time now, eoj id, std::uint32_t watts);

  twin_object* find(eoj id);
  std::span<twin_object> objects() { return objects_; }
  const node_identity& identity() const { return options_.identity; }

private:
  struct delayed {
    mono_time due;
    datagram what;
  };
  bool switched_off(mono_time now) const;
  void apply_due_faults(mono_time now, std::vector<datagram>& out);
  void announce_instances(mono_time now, std::vector<datagram>& out);
  void announce(mono_time now, const twin_object& object, epc_code epc, notice tell, std::vector<datagram>& out);

  void answer(mono_time now, const frame_view& request, twin_object& object, const endpoint& from,
              std::vector<datagram>& out);
  void answer_get(mono_time now, const frame_view& request, twin_object& object, const endpoint& from,
                  std::vector<datagram>& out);
  void answer_set(mono_time now, const frame_view& request, twin_object& object, const endpoint& from,
                  std::vector<datagram>& out);
  void answer_inf_req(mono_time now, const frame_view& request, twin_object& object, const endpoint& from,
                      std::vector<datagram>& out);
  bool read(mono_time now, twin_object& object, epc_code epc);  // into value_
  bool read_profile(mono_time now, epc_code epc);
  void change_map_count(mono_time now);

  // Sends what stands in frame_: after the faults have had their way.
  void send_answer(mono_time now, const endpoint& from, std::vector<datagram>& out);
  void send(mono_time now, std::optional<endpoint> to, std::vector<datagram>& out);
  bool happens(fault_kind kind, mono_time now);

  twin_options options_;
  prng random_;
  fault_plan faults_;
  twin_object profile_;
  std::vector<twin_object> objects_;
  std::vector<delayed> delayed_;  // in the order in which they were queued
  std::string last_asker_;        // where an announcement that wants an answer goes
  std::uint16_t next_tid_ = 1;
  bytes value_;                   // scratch
  bytes frame_;                   // scratch
};

}  // namespace tomoshibi::drivers::echonet::twin
