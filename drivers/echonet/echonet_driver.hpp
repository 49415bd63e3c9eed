// The ECHONET Lite driver: puts together our own node, the search, and one remote_node per host.
// docs/DRIVERS.md tells what it does with everything that real nodes were seen to do.
#pragma once

#include "drivers/driver.hpp"
#include "drivers/echonet/discovery.hpp"
#include "drivers/echonet/node_table.hpp"
#include "drivers/echonet/own_node.hpp"

#include <memory>
#include <string>
#include <vector>

namespace tomoshibi::drivers::echonet {

class echonet_driver final : public driver {
public:
  explicit echonet_driver(const driver_setup& setup);

  void on_start(mono_time now, driver_output& out) override;
  void on_plan(mono_time now, const read_plan& plan, driver_output& out) override;
  void on_datagram(mono_time now, const endpoint& from, byte_view payload, driver_output& out) override;
  void on_wake(mono_time now, driver_output& out) override;
  mono_time next_wake() const override { return wake_; }
  void log_statistics() const override;

  struct node_report {
    std::string identity;  // empty: not known yet
    std::string address;   // empty: not seen at any address
    std::size_t properties_per_request = 0;
    node_statistics statistics;
  };
  std::vector<node_report> report() const;
  std::uint64_t garbage_from_strangers() const { return garbage_from_strangers_; }

private:
  void search(mono_time now, driver_output& out);
  void on_garbage(std::string_view address);
  void on_answer(mono_time now, const endpoint& from, const frame_view& frame, driver_output& out);
  void on_announcement(mono_time now, const endpoint& from, byte_view payload, const frame_view& frame,
                       driver_output& out);
  void find_next_wake();

  node_context context_;
  own_node own_;
  node_table table_;
  discovery discovery_;
  std::uint16_t search_tid_ = 0;
  std::uint64_t garbage_from_strangers_ = 0;
  mono_time wake_ = never;
};

std::unique_ptr<driver> make_echonet_driver(const driver_setup& setup);
inline constexpr driver_info echonet_info{"echonet", udp_port, multicast_group_v4, &make_echonet_driver};

}  // namespace tomoshibi::drivers::echonet
