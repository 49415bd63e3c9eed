// TCP without TLS, in the shape of tls_stream, so that its users see no difference: for tests, and for guard centres inside
// a VPN. A real line to a guard centre goes inside TLS (docs/DC09.md, "What DC-09 cannot promise").
//
// on_open's peer is empty. on_closed comes exactly once and last, never from inside a call into the stream. Destroying the
// stream ends everything silently, with what is queued unsent. A callback may destroy the stream.
#pragma once

#include "protocol/adapters/tls_stream.hpp"

namespace tomoshibi {

class plain_stream {
public:
  static std::unique_ptr<plain_stream> connect(event_loop& loop, const tls_stream::target& to, tls_stream_events& events,
                                               const tls_stream_options& options = {});
  // Server side: takes a connected socket, and does nothing until it is started. on_open() is not called there.
  static std::unique_ptr<plain_stream> accepted(event_loop& loop, int descriptor);
  ~plain_stream();
  plain_stream(const plain_stream&) = delete;
  plain_stream& operator=(const plain_stream&) = delete;

  void start(tls_stream_events& events);
  status send(byte_view data);           // too_long: the peer does not read; net_closed
  void reset();                          // the peer sees a reset; no callback follows
  const endpoint& remote() const;

private:
  struct impl;
  explicit plain_stream(std::shared_ptr<impl> p);
  std::shared_ptr<impl> impl_;
};

}  // namespace tomoshibi
