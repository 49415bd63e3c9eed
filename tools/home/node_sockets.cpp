#include "tools/home/node_sockets.hpp"

#include "drivers/echonet/limits.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace tomoshibi::home {
namespace {

constexpr std::size_t events_per_wait = 64;
constexpr std::size_t datagrams_per_drain_max = 10'000;  // a flood must not keep us from answering the conductor

}  // namespace

node_sockets::~node_sockets() {
  if (epoll_ >= 0) ::close(epoll_);
}

status node_sockets::open(const mapping& map) {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return fail(errc::net_unreachable, std::string("epoll: ") + std::strerror(errno));
  for (const mapped_node& n : map.nodes) {
    auto socket = udp_multicast::open({.bind_address = n.address, .interface = map.interface});
    if (!socket) return fail(socket.error().code, "node '" + n.name + "': " + socket.error().detail);
    if (!socket->joined())
      return fail(errc::net_unreachable,
                  "node '" + n.name + "': cannot join the multicast group" +
                      (map.interface.empty() ? " (is there a route to 224.0.0.0/4?)" : " on " + map.interface));
    sockets_.push_back(std::move(*socket));
  }
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    for (std::size_t which = 0; which < 2; ++which) {
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = i * 2 + which;
      if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, sockets_[i].descriptors()[which], &event) != 0)
        return fail(errc::net_unreachable, std::string("epoll: ") + std::strerror(errno));
    }
  }
  return {};
}

std::size_t node_sockets::drain(mono_time now, household& home) {
  std::size_t total = 0;
  std::array<epoll_event, events_per_wait> ready{};
  while (total < datagrams_per_drain_max) {
    const int count = ::epoll_wait(epoll_, ready.data(), static_cast<int>(ready.size()), 0);
    if (count <= 0) break;
    // One bit per socket, so that the order of answers is that of the nodes and not that of arrival.
    std::array<bool, nodes_max * 2> waiting{};
    for (int i = 0; i < count; ++i) waiting[ready[static_cast<std::size_t>(i)].data.u64] = true;
    for (std::size_t i = 0; i < sockets_.size() * 2; ++i) {
      if (!waiting[i]) continue;
      udp_multicast& socket = sockets_[i / 2];
      while (const auto got = socket.receive(socket.descriptors()[i % 2])) {
        ++total;
        home.on_datagram(now, i / 2, got->from, got->payload, out_);
      }
    }
    send(out_);
  }
  received_ += total;
  return total;
}

void node_sockets::send(std::vector<outgoing>& datagrams) {
  for (const outgoing& o : datagrams) {
    udp_multicast& socket = sockets_[o.node];
    const status done = o.what.to ? socket.send_to(*o.what.to, o.what.payload) : socket.send_to_group(o.what.payload);
    ++(done ? sent_ : send_failures_);
  }
  datagrams.clear();
}

}  // namespace tomoshibi::home
