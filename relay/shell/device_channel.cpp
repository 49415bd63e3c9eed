#include "relay/shell/device_channel.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <utility>

namespace tomoshibi::relay {

// Small: with 20,000 of them only the TLS engine behind the stream matters.
class device_channel::connection final : public tls_stream_events {
public:
  enum class state : std::uint8_t { handshake, open, closing };

  connection(device_channel& owner, session_id id, std::unique_ptr<tls_stream> stream)
      : owner_(owner), id_(id), stream_(std::move(stream)) {}

  void start() { stream_->start(*this); }
  session_id id() const { return id_; }
  state now() const { return now_; }
  tls_stream& stream() { return *stream_; }
  void close() {
    now_ = state::closing;
    stream_->close();
  }

  void on_open(const tls_peer& who) override {
    now_ = state::open;
    owner_.counts_.resumed += who.resumed ? 1 : 0;
    owner_.handshake_over(stream_->remote().address);
    const auto& from = stream_->remote();
    owner_.receiver_.on_session_open(
        id_, {who.common_name, who.sha256, from.address + " " + std::to_string(from.port)});
  }
  void on_bytes(byte_view plain) override {
    if (now_ == state::open) owner_.receiver_.on_session_bytes(id_, plain);
  }
  void on_closed(const error& why) override { owner_.on_gone(*this, why); }  // destroys this

private:
  device_channel& owner_;
  session_id id_;
  state now_ = state::handshake;
  std::unique_ptr<tls_stream> stream_;
};

device_channel::device_channel(event_loop& loop, device_channel_receiver& receiver, log_sink& log,
                               device_channel_limits limits)
    : loop_(loop), receiver_(receiver), log_(log, "device"), limits_(limits) {}

device_channel::~device_channel() { *alive_ = false; }

status device_channel::listen(tls_context_ptr context, const endpoint& at) {
  listener_.reset();  // the port must be free; connections that wait in the backlog dial again
  auto opened = tls_listener::open(
      loop_, std::move(context), at, [this](std::unique_ptr<tls_stream> stream) { on_accepted(std::move(stream)); },
      {.connect_timeout = limits_.handshake_timeout,
       .close_timeout = limits_.close_timeout,
       .queue_bytes_max = limits_.session_queue_max});
  if (!opened) return std::unexpected{opened.error()};
  listener_ = std::move(*opened);
  return {};
}

void device_channel::use(tls_context_ptr context) {
  if (listener_) listener_->use(std::move(context));
}

void device_channel::stop_listening() { listener_.reset(); }

endpoint device_channel::local() const { return listener_ ? listener_->local() : endpoint{}; }

std::size_t device_channel::sessions() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      connections_, [](const auto& entry) { return entry.second->now() != connection::state::handshake; }));
}

device_channel_counts device_channel::counts() const {
  auto out = counts_;
  out.connections = connections_.size();
  return out;
}

void device_channel::on_accepted(std::unique_ptr<tls_stream> stream) {
  const std::string from = source_of(stream->remote().address);
  const auto held = handshakes_from_.find(from);
  if (connections_.size() >= limits_.connections_max ||
      (held != handshakes_from_.end() && held->second >= limits_.handshakes_per_address_max)) {
    ++counts_.over_limit;
    return;  // destroying the stream hangs up
  }
  ++handshakes_from_[from];
  ++counts_.accepted;
  const std::uint64_t id = ++last_id_;
  auto made = std::make_unique<connection>(*this, session_id{id}, std::move(stream));
  auto& c = *made;
  connections_.emplace(id, std::move(made));
  c.start();
}

void device_channel::on_gone(connection& c, const error& why) {
  const auto id = c.id();
  const auto was = c.now();
  if (was == connection::state::handshake) {
    handshake_over(c.stream().remote().address);
    ++counts_.handshakes_failed;
    log_.warning("handshake_failed", {{"peer", c.stream().remote().address}, {"err", name_of(why.code)}, {"detail", why.detail}});
  }
  connections_.erase(static_cast<std::uint64_t>(id));
  if (was == connection::state::open) receiver_.on_session_closed(id);
}

std::string source_of(const std::string& address) {
  constexpr std::size_t customer_bytes = 8;
  constexpr std::string_view mapped{"\0\0\0\0\0\0\0\0\0\0\xff\xff", 12};
  std::array<char, 16> v6{};
  if (address.find(':') == std::string::npos || ::inet_pton(AF_INET6, address.c_str(), v6.data()) != 1) return address;
  const std::string_view all{v6.data(), v6.size()};
  return std::string{all.starts_with(mapped) ? all : all.substr(0, customer_bytes)};
}

void device_channel::handshake_over(const std::string& address) {
  const auto held = handshakes_from_.find(source_of(address));
  if (held != handshakes_from_.end() && --held->second == 0) handshakes_from_.erase(held);
}

void device_channel::send(session_id id, byte_view data) {
  const auto found = connections_.find(static_cast<std::uint64_t>(id));
  if (found == connections_.end() || found->second->now() != connection::state::open) return;
  const auto sent = found->second->stream().send(data);
  if (sent || sent.error().code != errc::too_long) return;  // other faults end in on_closed
  loop_.post([this, id, alive = alive_] {
    if (*alive) drop_slow(id);
  });
}

void device_channel::drop_slow(session_id id) {
  const auto found = connections_.find(static_cast<std::uint64_t>(id));
  if (found == connections_.end() || found->second->now() != connection::state::open) return;
  ++counts_.slow_dropped;
  log_.warning("slow_peer_dropped", {{"session", static_cast<std::uint64_t>(id)}});
  connections_.erase(found);
  receiver_.on_session_closed(id);
}

void device_channel::close(session_id id) {
  const auto found = connections_.find(static_cast<std::uint64_t>(id));
  if (found != connections_.end() && found->second->now() == connection::state::open) found->second->close();
}

}  // namespace tomoshibi::relay
