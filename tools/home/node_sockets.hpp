// The sockets of a simulated home: one ECHONET Lite address for each node, and everything that is waiting read at once.
#pragma once

#include "protocol/adapters/udp_multicast.hpp"
#include "tools/home/household.hpp"

#include <vector>

namespace tomoshibi::home {

class node_sockets {
public:
  node_sockets() = default;
  node_sockets(const node_sockets&) = delete;
  node_sockets& operator=(const node_sockets&) = delete;
  ~node_sockets();

  // Errors: those of udp_multicast::open.
  status open(const mapping& map);
  // Reads and answers until nothing is waiting; answers how many datagrams there were.
  std::size_t drain(mono_time now, household& home);
  void send(std::vector<outgoing>& datagrams);  // and empties the list
  // For poll(): readable when a datagram waits.
  int descriptor() const { return epoll_; }
  std::uint64_t received() const { return received_; }
  std::uint64_t sent() const { return sent_; }
  std::uint64_t send_failures() const { return send_failures_; }

private:
  std::vector<udp_multicast> sockets_;
  std::vector<outgoing> out_;
  int epoll_ = -1;
  std::uint64_t received_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t send_failures_ = 0;
};

}  // namespace tomoshibi::home
