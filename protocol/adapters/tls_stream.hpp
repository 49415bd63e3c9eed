// A TCP connection with a tls_engine on it, for both ends of the device channel.
//
// States: connecting (client: resolve and connect) -> handshake -> open -> closed. on_closed comes exactly once and last,
// never from inside a call into the stream. Destroying the stream ends everything silently: no callback follows.
// A callback may destroy the stream. A client whose ticket is not taken dials once more by itself. TCP_NODELAY and
// keep-alive are on.
#pragma once

#include "protocol/adapters/event_loop.hpp"
#include "protocol/adapters/tls_engine.hpp"
#include "protocol/base/net.hpp"
#include "protocol/base/result.hpp"

#include <functional>
#include <memory>
#include <string>

namespace tomoshibi {

class tls_stream_events {
public:
  virtual ~tls_stream_events() = default;
  virtual void on_open(const tls_peer& peer) = 0;
  virtual void on_bytes(byte_view plain) = 0;
  virtual void on_drained() {}                     // queued() was over 0 after a send and is 0 again
  // net_closed: the peer ended it in order, or reset it, or we did; net_unreachable; net_timeout; tls_failed.
  virtual void on_closed(const error& why) = 0;
};

struct tls_stream_options {
  millis connect_timeout{20'000};                  // name, TCP and TLS together
  millis close_timeout{5'000};                     // for what is queued when close() is called
  std::size_t queue_bytes_max = 64 * 1024;         // cipher bytes not yet taken by the kernel
  tls_resumption resumption = tls_resumption::on;  // client; off: shows its certificate even if it holds a ticket
};

class tls_stream {
public:
  struct target {
    std::string host;                              // name or address; also what the certificate must carry
    std::uint16_t port = 0;
    std::string address = {};                      // numeric, dialled instead of asking for the name; empty: ask
  };
  static std::unique_ptr<tls_stream> connect(event_loop& loop, tls_context_ptr context, const target& to,
                                             tls_stream_events& events, const tls_stream_options& options = {});
  ~tls_stream();
  tls_stream(const tls_stream&) = delete;
  tls_stream& operator=(const tls_stream&) = delete;

  // Server side: a stream from tls_listener does nothing until it is started.
  void start(tls_stream_events& events);

  // too_long: the queue is full and nothing was taken; net_closed: not open.
  status send(byte_view plain);
  std::size_t queued() const;
  void close();                                    // sends what is queued and close_notify, then on_closed(net_closed)
  const endpoint& remote() const;                  // of the accepted or connected socket

  struct impl;
  explicit tls_stream(std::shared_ptr<impl> p);    // for tls_listener

private:
  std::shared_ptr<impl> impl_;
};

// Accepts connections. Handed over before their handshake; the receiver decides whether to start or to drop them. Their
// handshakes pass one at a time, behind whatever else is ready (handshake_gate.hpp).
class tls_listener {
public:
  using accept_handler = std::move_only_function<void(std::unique_ptr<tls_stream>)>;
  // Errors: config_invalid (not a numeric address), net_unreachable (port taken, no such address; the detail says which).
  static result<std::unique_ptr<tls_listener>> open(event_loop& loop, tls_context_ptr context, const endpoint& at,
                                                    accept_handler on_accept, const tls_stream_options& options = {});
  ~tls_listener();
  void use(tls_context_ptr context);               // for connections from now on; those that stand keep theirs
  endpoint local() const;                          // with the real port where 0 was asked for
  struct impl;

private:
  explicit tls_listener(std::shared_ptr<impl> p);
  std::shared_ptr<impl> impl_;
};

}  // namespace tomoshibi
