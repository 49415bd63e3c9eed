// Thousands of gateways in one thread: sockets, TLS and speakers around one epoll.
//
// A client: down -> dialling -> shaking hands -> greeting -> ready; whatever ends a connection leads back to down. A client that is
// wanted dials again by itself: at once while fewer than dial_window are on the way (redial::window), or after the gateway's
// own back-off (redial::backoff: 1 s doubling to 300 s, full jitter). Sources are 127.1.x.y, 100 clients each, so that ports suffice.
#pragma once

#include "tools/bench.d/load/client_tls.hpp"
#include "tools/bench.d/load/speaker.hpp"

#include "protocol/base/net.hpp"
#include "protocol/base/prng.hpp"

#include <deque>
#include <functional>
#include <map>
#include <queue>

namespace tomoshibi::load {

enum class redial { window, backoff };

struct swarm_options {
  endpoint server;
  std::size_t dial_window = 256;      // connections on the way at once, the first time
  std::size_t redial_window = 256;    // and later, when most are resumed
  std::size_t in_flight_max = 8;      // messages of one client not acknowledged, as a gateway has it
  double sign_of_life_s = 30;
};

struct swarm_counts {
  std::size_t wanted = 0;
  std::size_t ready = 0;
  std::uint64_t handshakes = 0;       // since the last reset
  std::uint64_t resumed = 0;
  std::uint64_t drops = 0;            // connections that were up and ended unasked
  std::uint64_t dial_failures = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t unacknowledged = 0;   // asked for and not acknowledged yet
};

class swarm {
public:
  swarm(const swarm_options& options, client_tls_maker& tls, std::vector<std::unique_ptr<speaker>> speakers);
  ~swarm();

  void want(std::size_t count, redial how);     // the first `count` are to be connected, the others not
  void hang_up();                               // every connection ends, the clients stay wanted and dial again
  void ask(std::size_t index, std::uint64_t messages);  // to be sent when the client is ready
  void turn(double wait_s);                     // what can be done now; waits at most so long
  double now() const;                           // seconds of the monotonic clock

  const swarm_counts& counts() const { return counts_; }
  std::map<std::string, std::uint64_t> failures() const { return failures_; }
  std::vector<float> take_ack_times() { return std::exchange(ack_ms_, {}); }  // from sent to acknowledged, milliseconds
  void reset_counts();
  std::size_t size() const { return clients_.size(); }

private:
  enum class state : std::uint8_t { down, dialling, handshake, greeting, ready };
  struct client {
    int fd = -1;
    state now = state::down;
    bool wanted = false;
    bool waiting = false;             // in dial_at_
    bool wants_write = false;
    unsigned attempts = 0;
    std::unique_ptr<client_tls> tls;
    std::unique_ptr<speaker> says;
    bytes out;
    std::uint64_t target = 0;         // messages asked for in all
    std::uint64_t sent = 0;           // the highest sent in this connection, or known durable
    std::uint64_t counted = 0;        // acknowledged and counted
    std::deque<double> sent_at;       // of counted + 1 ... sent
    double spoke = 0;
  };

  std::size_t window() const { return came_once_ ? options_.redial_window : options_.dial_window; }
  void dial_due();
  void dial(std::size_t i);
  void queue_dial(std::size_t i);
  void on_event(std::size_t i, std::uint32_t events);
  bool read(std::size_t i);
  bool on_cipher(std::size_t i, byte_view cipher);
  void after_bytes(std::size_t i);
  void send_messages(std::size_t i);
  void count_acks(client& c);
  bool say(std::size_t i, byte_view plain);
  bool flush(std::size_t i);
  void watch(std::size_t i, bool writing);
  void drop(std::size_t i, const std::string& why);
  void close(client& c);
  void signs_of_life();

  swarm_options options_;
  client_tls_maker& tls_;
  std::vector<client> clients_;
  redial how_ = redial::window;
  bool came_once_ = false;            // everybody has been ready
  prng chance_{1};
  using due = std::pair<double, std::size_t>;
  std::priority_queue<due, std::vector<due>, std::greater<>> dial_at_;
  std::size_t on_the_way_ = 0;
  std::size_t sweep_ = 0;
  double swept_ = 0;
  int epoll_ = -1;
  swarm_counts counts_;
  std::map<std::string, std::uint64_t> failures_;
  std::vector<float> ack_ms_;
};

}  // namespace tomoshibi::load
