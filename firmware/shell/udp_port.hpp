// One driver's door to the home network: the sockets of udp_multicast in the loop. Survives an interface that goes away.
#pragma once

#include "drivers/driver.hpp"
#include "protocol/adapters/event_loop.hpp"
#include "protocol/adapters/udp_multicast.hpp"

#include <functional>
#include <memory>

namespace tomoshibi::firmware {

class udp_port {
public:
  using datagram_handler = std::function<void(const endpoint& from, byte_view payload)>;
  static result<std::unique_ptr<udp_port>> open(event_loop& loop, const udp_multicast_options& options,
                                                log_sink& log, datagram_handler on_datagram);
  udp_port(const udp_port&) = delete;
  udp_port& operator=(const udp_port&) = delete;

  void send(const drivers::datagram& datagram);

private:
  udp_port(event_loop& loop, udp_multicast socket, log_sink& log, datagram_handler on_datagram);
  void read(int descriptor);
  void refresh();
  void note(const status& sent);

  udp_multicast socket_;
  logger log_;
  datagram_handler on_datagram_;
  loop_timer refresh_;
  bool failing_ = false;           // told once when it begins and once when it ends
  std::unique_ptr<fd_watch> unicast_;
  std::unique_ptr<fd_watch> group_;
};

}  // namespace tomoshibi::firmware
