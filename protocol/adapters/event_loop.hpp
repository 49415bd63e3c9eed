// The loop of a daemon, or of a thread of it: an Asio io_context under real time or under a conductor's (docs/adr/0002), so that everything
// above it is the same in both. Single-threaded; post() and finish_work() may be called from any thread.
//
// A turn: handlers that are ready run, parts and timers that are due are woken, on_turn_end() of every part is called.
// Under a conductor a turn repeats until nothing is ready and no work is pending; only then time moves on. So nothing may
// wait on a clock of its own: deadlines are a part's next_wake() or a loop_timer, blocking work is begin_work/finish_work.
#pragma once

#include "protocol/adapters/clock_source.hpp"
#include "protocol/base/log.hpp"
#include "protocol/base/result.hpp"

#include <functional>
#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}

namespace tomoshibi {

using loop_handler = std::move_only_function<void()>;

// A core with its shell, as the loop sees it.
class loop_part {
public:
  virtual ~loop_part() = default;
  virtual mono_time next_wake() const = 0;          // cheap: asked after every turn
  virtual void on_wake(mono_time now) = 0;          // called when now >= next_wake(); must move next_wake() on
  virtual void on_turn_end(mono_time) {}            // the place to start a group commit
};

struct event_loop_options {
  std::string replay_socket;                        // empty: real time
  std::string name;                                 // how this program joins a replay: "gateway", "relay", "home"
  log_sink* log = nullptr;
  bool signals = true;                              // false: a further loop of a program, whose first one hears them
};

class event_loop final : public clock_source {
public:
  // Blocks SIGTERM, SIGINT and SIGHUP for this and later threads: they are read by the loop. Call before threads start.
  // In a replay it returns when the conductor has told the time.
  static result<std::unique_ptr<event_loop>> open(const event_loop_options& options);
  ~event_loop() override;

  mono_time now() const override;
  mono_exact exact() const override;
  wall_time wall() const override;
  bool replayed() const;

  void add(loop_part& part);                        // the part outlives the loop or is removed
  void remove(loop_part& part);

  void post(loop_handler handler);                  // any thread; runs in a later step of the loop
  // Work on another thread: begin_work() on the loop's thread, then exactly one finish_work() from anywhere; its handler
  // runs on the loop's thread.
  void begin_work();
  void finish_work(loop_handler handler);

  // SIGTERM / SIGINT; without a handler they call stop(). SIGHUP without a handler is ignored. Set before run().
  void on_terminate(loop_handler handler);
  void on_hangup(loop_handler handler);

  // Until stop(), or the conductor is gone (net_closed). May be called again after stop().
  status run();
  // Any thread; the turn that runs is finished. Before a run it ends that one as it begins.
  void stop();
  // One turn without waiting, for tests; answers how many handlers, wakes and timers ran.
  std::size_t poll();

  boost::asio::io_context& context();

private:
  friend class loop_timer;
  friend class fd_watch;
  struct impl;
  explicit event_loop(std::unique_ptr<impl> p);
  std::unique_ptr<impl> impl_;
};

// One deadline. Setting it again replaces it; destroying it cancels it. The handler may set or destroy the timer.
class loop_timer {
public:
  explicit loop_timer(event_loop& loop);
  loop_timer(const loop_timer&) = delete;
  loop_timer& operator=(const loop_timer&) = delete;
  ~loop_timer();
  void set(mono_time at, loop_handler handler);
  void set_after(millis delay, loop_handler handler);
  void cancel();
  bool armed() const;

private:
  friend class event_loop;
  event_loop* loop_;
  std::uint64_t id_ = 0;                            // 0: not armed
  mono_time at_ = never;
};

// Calls `on_readable` whenever the descriptor can be read; level-triggered, so the handler may read as much as it likes.
// The descriptor stays the caller's and must be open as long as the watch lives. The handler may destroy the watch.
class fd_watch {
public:
  fd_watch(event_loop& loop, int fd, loop_handler on_readable);
  fd_watch(const fd_watch&) = delete;
  fd_watch& operator=(const fd_watch&) = delete;
  ~fd_watch();

private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

}  // namespace tomoshibi
