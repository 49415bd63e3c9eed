// A UDP node that talks to single peers and to one IPv4 multicast group, as ECHONET Lite does: everything is sent from
// its own address and port, and received on two sockets (own address; group address), so that several nodes can live on
// the addresses of one machine (docs/GATEWAY.md, "Several nodes on one machine"). Linux. No waiting: watch both
// descriptors for reading.
#pragma once

#include "protocol/base/bytes.hpp"
#include "protocol/base/net.hpp"
#include "protocol/base/result.hpp"

#include <array>
#include <optional>
#include <string>

namespace tomoshibi {

struct udp_multicast_options {
  std::string bind_address = "0.0.0.0";   // own address: an IPv4 address, or 0.0.0.0 for all of the machine
  std::uint16_t port = 3610;
  std::string group = "224.0.23.0";
  std::string interface;                  // name ("eth0"); empty: the one that the system's routes choose
};

class udp_multicast {
public:
  // Errors: config_invalid (not an address, not a group), net_unreachable: port taken, no such address. An interface that
  // is missing is no error: refresh() joins when it comes.
  static result<udp_multicast> open(const udp_multicast_options& options);
  udp_multicast(udp_multicast&& other) noexcept;
  udp_multicast& operator=(udp_multicast&&) = delete;
  ~udp_multicast();

  std::array<int, 2> descriptors() const { return {unicast_, group_}; }

  struct received {
    endpoint from;
    byte_view payload;    // valid until the next receive
    bool to_group = false;
  };
  // The next waiting datagram of `descriptor`; nothing when there is none. Datagrams that this node itself sent to the
  // group, and those over `datagram_max`, are skipped.
  std::optional<received> receive(int descriptor);

  static constexpr std::size_t datagram_max = 1500;

  status send_to(const endpoint& to, byte_view payload);
  status send_to_group(byte_view payload);

  // Joins the group again if the interface has come, gone or changed. Call now and then, and after a failed send.
  // True: the membership changed.
  bool refresh();
  bool joined() const { return joined_index_ != 0; }
  endpoint local() const;                 // with the real port where 0 was asked for

private:
  udp_multicast() = default;
  status join();
  udp_multicast_options options_;
  int unicast_ = -1;
  int group_ = -1;
  int joined_index_ = 0;                  // interface index of the membership; 0 = none, -1 = system's choice
  std::string own_address_;
  std::array<std::uint8_t, 2048> buffer_{};
};

}  // namespace tomoshibi
