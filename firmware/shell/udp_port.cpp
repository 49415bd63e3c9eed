#include "firmware/shell/udp_port.hpp"

namespace tomoshibi::firmware {
namespace {

constexpr millis refresh_every = 30s;        // an interface that came back is joined within this time
constexpr int datagrams_per_turn_max = 64;   // a flood must not keep the loop from the rest

}  // namespace

udp_port::udp_port(event_loop& loop, udp_multicast socket, log_sink& log, datagram_handler on_datagram)
    : socket_(std::move(socket)), log_(log, "udp"), on_datagram_(std::move(on_datagram)), refresh_(loop) {
  const auto [unicast, group] = socket_.descriptors();
  unicast_ = std::make_unique<fd_watch>(loop, unicast, [this, fd = unicast] { read(fd); });
  group_ = std::make_unique<fd_watch>(loop, group, [this, fd = group] { read(fd); });
  if (!socket_.joined()) log_.warning("not_joined", {{"reaction", "tried again"}});
  refresh_.set_after(refresh_every, [this] { refresh(); });
}

result<std::unique_ptr<udp_port>> udp_port::open(event_loop& loop, const udp_multicast_options& options, log_sink& log,
                                                 datagram_handler on_datagram) {
  auto socket = udp_multicast::open(options);
  if (!socket) return std::unexpected(socket.error());
  return std::unique_ptr<udp_port>(new udp_port(loop, std::move(*socket), log, std::move(on_datagram)));
}

void udp_port::read(int descriptor) {
  for (int i = 0; i < datagrams_per_turn_max; ++i) {
    const auto got = socket_.receive(descriptor);
    if (!got) return;
    on_datagram_(got->from, got->payload);
  }
}

void udp_port::refresh() {
  if (socket_.refresh()) log_.info("joined");
  refresh_.set_after(refresh_every, [this] { refresh(); });
}

void udp_port::note(const status& sent) {
  if (!sent && !failing_) log_.warning("send_failed", {{"err", sent.error().detail}});
  if (sent && failing_) log_.info("send_works_again");
  failing_ = !sent;
}

void udp_port::send(const drivers::datagram& datagram) {
  note(datagram.to ? socket_.send_to(*datagram.to, datagram.payload) : socket_.send_to_group(datagram.payload));
}

}  // namespace tomoshibi::firmware
