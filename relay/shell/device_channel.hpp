// The device channel's server side: one port, a TLS connection for each gateway. Knows connections and bytes; who may
// speak and what it means is the core's.
//
// A connection: handshake (at most handshake_timeout) -> open (on_session_open was told) -> gone (on_session_closed was
// told, unless close() was called first). Calls into the channel never call back into its receiver within the same call:
// what a failing send() leads to is told in a later handler of the loop.
#pragma once

#include "protocol/adapters/event_loop.hpp"
#include "protocol/adapters/tls_stream.hpp"
#include "protocol/base/log.hpp"
#include "relay/core/session_io.hpp"

#include <memory>
#include <string>
#include <unordered_map>

namespace tomoshibi::relay {

struct device_channel_limits {
  std::size_t connections_max = 25'000;
  millis handshake_timeout{10'000};
  // Unfinished handshakes of one address. Generous: a carrier may have a thousand homes behind one address, and a handshake
  // takes milliseconds; but who opens connections and says nothing holds no more than these.
  std::size_t handshakes_per_address_max = 128;
  millis close_timeout{5'000};               // for bytes still queued when a session is closed
  std::size_t session_queue_max = 64 * 1024; // bytes a slow gateway may leave unread; then it is dropped
};

struct device_channel_counts {
  std::size_t connections = 0;               // now, handshakes included
  std::uint64_t accepted = 0;
  std::uint64_t over_limit = 0;              // dropped as they came: too many connections, or of that address
  std::uint64_t resumed = 0;                 // handshakes that a ticket made short
  std::uint64_t handshakes_failed = 0;       // garbage, wrong certificate, too slow
  std::uint64_t slow_dropped = 0;            // did not read what we sent
};

// What counts as one address: an IPv4 address, or the half of an IPv6 address that a provider gives to one customer.
std::string source_of(const std::string& address);

class device_channel_receiver {
public:
  virtual ~device_channel_receiver() = default;
  virtual void on_session_open(session_id id, const peer& who) = 0;
  virtual void on_session_bytes(session_id id, byte_view data) = 0;
  virtual void on_session_closed(session_id id) = 0;
};

class device_channel {
public:
  device_channel(event_loop& loop, device_channel_receiver& receiver, log_sink& log, device_channel_limits limits);
  ~device_channel();                          // drops every connection silently
  device_channel(const device_channel&) = delete;
  device_channel& operator=(const device_channel&) = delete;

  // Opens the port, or opens it again: connections that stand are kept.
  status listen(tls_context_ptr context, const endpoint& at);
  void use(tls_context_ptr context);          // a new certificate; connections that stand are kept
  void limit_connections(std::size_t most) { limits_.connections_max = most; }
  void stop_listening();
  endpoint local() const;

  void send(session_id id, byte_view data);   // unknown ids are ignored
  void close(session_id id);                  // what was sent before still leaves, within close_timeout
  std::size_t connections() const { return connections_.size(); }
  std::size_t sessions() const;               // open or closing: handshakes do not count
  device_channel_counts counts() const;

private:
  class connection;
  void on_accepted(std::unique_ptr<tls_stream> stream);
  void on_gone(connection& c, const error& why);
  void drop_slow(session_id id);
  void handshake_over(const std::string& address);  // of a peer

  event_loop& loop_;
  device_channel_receiver& receiver_;
  logger log_;
  device_channel_limits limits_;
  std::unique_ptr<tls_listener> listener_;
  std::unordered_map<std::uint64_t, std::unique_ptr<connection>> connections_;
  std::unordered_map<std::string, std::size_t> handshakes_from_;  // by source_of(), none of 0
  std::uint64_t last_id_ = 0;
  device_channel_counts counts_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tomoshibi::relay
