// TCP without TLS, in the shape of tls_stream and tls_listener, so that the guard centre sees no difference. For tests and
// for receivers' witnesses only: a real line to a guard centre goes inside TLS.
#pragma once

#include "protocol/adapters/tls_stream.hpp"

namespace tomoshibi::guard {

class plain_stream {
public:
  struct impl;
  explicit plain_stream(std::shared_ptr<impl> p);
  ~plain_stream();                       // ends everything silently, with what is queued unsent
  plain_stream(const plain_stream&) = delete;
  plain_stream& operator=(const plain_stream&) = delete;

  static std::unique_ptr<plain_stream> connect(event_loop& loop, const endpoint& to, tls_stream_events& events);
  void start(tls_stream_events& events); // server side; on_open() is not called there
  status send(byte_view data);           // too_long: the peer does not read; net_closed
  void reset();                          // the peer sees a reset; no callback follows

private:
  std::shared_ptr<impl> impl_;
};

class plain_listener {
public:
  using accept_handler = std::move_only_function<void(std::unique_ptr<plain_stream>)>;
  static result<std::unique_ptr<plain_listener>> open(event_loop& loop, const endpoint& at, accept_handler on_accept);
  ~plain_listener();
  endpoint local() const;
  struct impl;

private:
  explicit plain_listener(std::shared_ptr<impl> p);
  std::shared_ptr<impl> impl_;
};

}  // namespace tomoshibi::guard
