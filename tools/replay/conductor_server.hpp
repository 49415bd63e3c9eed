// The conductor's shell: a Unix socket for participants, standard input for orders, standard output for events.
//
// Participants speak lines as ADR 2 says. Orders on standard input, one a line:
//   go [N]        leave a pause; with N, from now on N participants are expected
//   pause TIME    one more pause point
//   where         tell where time stands
//   stop          end here
// Events on standard output, one JSON object a line: joined, left, paused, ended, where, warning.
// A participant that breaks the format is disconnected with a warning; the others go on.
#pragma once

#include "protocol/base/result.hpp"
#include "tools/replay/conductor.hpp"
#include "tools/replay/progress.hpp"

#include <string>
#include <vector>

namespace tomoshibi::replay {

// A participant in the conductor's own process: called instead of being written to.
class local_participant {
public:
  virtual ~local_participant() = default;
  struct answer {
    std::uint64_t handlers = 0;
    mono_time next = never;
  };
  virtual std::string_view name() const = 0;
  virtual answer run(mono_time mono, wall_at wall) = 0;
};

struct server_options {
  std::string socket_path;               // an existing socket that nobody answers is replaced
  conductor_options conductor;
  progress_options progress;
  bool orders = true;                    // read standard input
};

inline constexpr std::size_t line_bytes_max = 128;
inline constexpr millis answer_slow_after = 30s;  // real time after which a missing answer is told

class conductor_server {
public:
  explicit conductor_server(server_options options);
  ~conductor_server();
  conductor_server(const conductor_server&) = delete;
  conductor_server& operator=(const conductor_server&) = delete;

  status open();
  // Until the end, or until a signal asked to stop (stop_flag). Fails only if the machine does.
  status run(local_participant* local);

  const conductor& core() const { return core_; }

private:
  struct peer {
    int fd = -1;
    participant who{};
    bool joined = false;
    std::string name;
    std::string pending;                 // bytes of an unfinished line
  };

  void accept_all();
  bool read_peer(peer& p);               // false: to be closed
  bool on_line(peer& p, std::string_view line);
  void close_peer(std::size_t index);
  void read_orders();
  void on_order(std::string_view line);
  void deliver(local_participant* local);
  void tell(const notice& n);
  std::string timed_event(std::string_view event, wall_at at) const;
  void warn(std::string_view name, std::string_view text);
  void wait(mono_time until);

  server_options options_;
  conductor core_;
  conductor_output out_;
  progress progress_;
  int listener_ = -1;
  bool orders_open_ = false;
  std::string orders_;
  std::vector<peer> peers_;
  std::uint32_t next_id_ = 1;            // 0 is the local participant
  mono_time asked_at_{};
  bool slow_told_ = false;
};

// Set by the signal handler that install_stop_signals() puts in place for SIGINT and SIGTERM.
void install_stop_signals();
bool stop_requested();
mono_time real_now();

}  // namespace tomoshibi::replay
