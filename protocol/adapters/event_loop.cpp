#include "protocol/adapters/event_loop.hpp"

#include "protocol/adapters/replay_clock.hpp"
#include "protocol/base/check.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>
#include <optional>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <vector>

namespace tomoshibi {
namespace {

namespace asio = boost::asio;

constexpr std::size_t handlers_per_turn_max = 256;    // then parts and timers get their say
constexpr std::size_t settle_turns_max = 1'000'000;   // a replay turn that never ends is a fault, not patience

}  // namespace

struct event_loop::impl {
  struct deadline {
    loop_timer* owner;
    loop_handler handler;
  };

  std::size_t turn();
  std::size_t run_ready();
  std::size_t fire_timers(mono_time at);
  std::size_t wake_parts(mono_time at);
  void end_turn();
  mono_time next_wake() const;
  void sleep();
  status hear_signals();
  void read_signals();
  status run_real();
  status run_replayed();
  result<std::size_t> settle();
  mono_time now() const { return replay ? replay->now() : real.now(); }

  std::map<std::pair<mono_time, std::uint64_t>, deadline> timers;
  std::uint64_t last_timer = 0;
  asio::io_context context{1};                         // goes before the timers: its handlers may own some
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  asio::steady_timer alarm{context};
  mono_time alarm_at = never;                          // what the alarm is set to; never = not set
  system_clock_source real;
  std::optional<replay_clock> replay;
  bool answer_owed = false;                            // the conductor told us to run and waits for our answer
  std::vector<loop_part*> parts;                       // null: removed during a turn
  std::atomic<bool> stopped{false};
  std::size_t pending_work = 0;
  int signals = -1;
  sigset_t former_mask{};
  std::unique_ptr<fd_watch> signal_watch;
  loop_handler terminate;
  loop_handler hangup;
  logger log{null_log(), "loop"};
};

// ---- one turn

std::size_t event_loop::impl::run_ready() {
  std::size_t ran = 0;
  while (ran < handlers_per_turn_max && context.poll_one() != 0) ++ran;
  return ran;
}

std::size_t event_loop::impl::fire_timers(mono_time at) {
  // A handler may set timers that are due at once: they wait for the next turn, so that a turn ends.
  const std::uint64_t newest = last_timer;
  std::size_t fired = 0;
  auto next = timers.begin();
  while (next != timers.end() && next->first.first <= at) {
    if (next->first.second > newest) {
      ++next;
      continue;
    }
    auto due = timers.extract(next);
    due.mapped().owner->id_ = 0;
    due.mapped().owner->at_ = never;
    due.mapped().handler();
    ++fired;
    next = timers.begin();
  }
  return fired;
}

std::size_t event_loop::impl::wake_parts(mono_time at) {
  std::size_t woken = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] == nullptr || parts[i]->next_wake() > at) continue;
    parts[i]->on_wake(at);
    ++woken;
  }
  return woken;
}

void event_loop::impl::end_turn() {
  const mono_time at = now();
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (parts[i] != nullptr) parts[i]->on_turn_end(at);
  std::erase(parts, nullptr);
}

std::size_t event_loop::impl::turn() {
  std::size_t ran = run_ready();
  const mono_time at = now();
  ran += fire_timers(at);
  ran += wake_parts(at);
  end_turn();
  return ran;
}

mono_time event_loop::impl::next_wake() const {
  mono_time next = timers.empty() ? never : timers.begin()->first.first;
  for (const loop_part* part : parts)
    if (part != nullptr) next = std::min(next, part->next_wake());
  return next;
}

// ---- real time

// Waits for a handler or the next deadline. The alarm is moved only forward: one that rings early costs a turn, while
// cancelling it at every change would cost one each time.
void event_loop::impl::sleep() {
  const mono_time next = next_wake();
  if (next <= now()) return;
  if (next < alarm_at) {
    alarm_at = next;
    alarm.expires_at(asio::steady_timer::time_point{next.time_since_epoch()});
    alarm.async_wait([this](const boost::system::error_code& code) {
      if (!code) alarm_at = never;
    });
  }
  context.run_one();
}

status event_loop::impl::run_real() {
  while (!stopped) {
    const std::size_t ran = turn();
    if (ran == 0 && !stopped) sleep();
  }
  return {};
}

// ---- under a conductor

result<std::size_t> event_loop::impl::settle() {
  std::size_t total = 0;
  for (std::size_t turns = 0; turns < settle_turns_max; ++turns) {
    std::size_t ran = turn();
    if (stopped) return total + ran;
    if (ran == 0 && pending_work != 0) ran = context.run_one();  // time stands still until the worker is done
    if (ran == 0) return total;
    total += ran;
  }
  return fail(errc::malformed, "replay: a part is due for ever at one moment");
}

status event_loop::impl::run_replayed() {
  while (!stopped) {
    if (!answer_owed) {
      auto waited = replay->wait(signals);
      if (!waited) return std::unexpected(waited.error());
      answer_owed = *waited == replay_clock::turn::run;
      if (!answer_owed) read_signals();
    }
    auto handlers = settle();
    if (!handlers) return std::unexpected(handlers.error());
    if (!answer_owed) continue;
    answer_owed = false;
    if (auto answered = replay->answer(*handlers, next_wake()); !answered) return answered;
  }
  return {};
}

// ---- signals

status event_loop::impl::hear_signals() {
  std::signal(SIGPIPE, SIG_IGN);  // a peer that left is an error code, not our end
  sigset_t wanted;
  sigemptyset(&wanted);
  for (int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&wanted, number);
  pthread_sigmask(SIG_BLOCK, &wanted, &former_mask);
  signals = ::signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
  if (signals < 0) return fail(errc::storage_io, "signalfd: " + std::string(std::strerror(errno)));
  return {};
}

void event_loop::impl::read_signals() {
  signalfd_siginfo info{};
  while (::read(signals, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    const bool hang = info.ssi_signo == static_cast<std::uint32_t>(SIGHUP);
    log.info("signal", {{"number", info.ssi_signo}});
    if (hang && hangup) hangup();
    if (!hang && terminate) terminate();
    if (!hang && !terminate) stopped = true;
  }
}

// ---- public face

event_loop::event_loop(std::unique_ptr<impl> p) : impl_(std::move(p)) {}

result<std::unique_ptr<event_loop>> event_loop::open(const event_loop_options& options) {
  auto made = std::make_unique<impl>();
  if (options.log != nullptr) made->log = logger{*options.log, "loop"};
  if (options.signals)
    if (auto heard = made->hear_signals(); !heard) return std::unexpected(heard.error());
  if (!options.replay_socket.empty()) {
    auto joined = replay_clock::join(options.replay_socket, options.name);
    if (!joined) return std::unexpected(joined.error());
    made->replay.emplace(std::move(*joined));
    // Programs read the clock while they start: the conductor's first word comes before that.
    auto told = made->replay->wait(made->signals);
    if (!told) return std::unexpected(told.error());
    if (*told == replay_clock::turn::interrupted) return fail(errc::net_closed, "ended before the replay began");
    made->answer_owed = true;
  }
  std::unique_ptr<event_loop> loop{new event_loop(std::move(made))};
  impl* inside = loop->impl_.get();
  if (inside->signals >= 0)
    inside->signal_watch = std::make_unique<fd_watch>(*loop, inside->signals, [inside] { inside->read_signals(); });
  return loop;
}

event_loop::~event_loop() {
  impl_->signal_watch.reset();
  if (impl_->signals < 0) return;
  ::close(impl_->signals);
  pthread_sigmask(SIG_SETMASK, &impl_->former_mask, nullptr);
}

mono_time event_loop::now() const { return impl_->now(); }
mono_exact event_loop::exact() const { return impl_->replay ? impl_->replay->exact() : impl_->real.exact(); }
wall_time event_loop::wall() const { return impl_->replay ? impl_->replay->wall() : impl_->real.wall(); }
bool event_loop::replayed() const { return impl_->replay.has_value(); }

void event_loop::add(loop_part& part) { impl_->parts.push_back(&part); }
void event_loop::remove(loop_part& part) {
  std::replace(impl_->parts.begin(), impl_->parts.end(), &part, static_cast<loop_part*>(nullptr));
}

void event_loop::post(loop_handler handler) { asio::post(impl_->context, std::move(handler)); }
void event_loop::begin_work() { ++impl_->pending_work; }
void event_loop::finish_work(loop_handler handler) {
  post([inside = impl_.get(), handler = std::move(handler)]() mutable {
    TOMO_REQUIRE(inside->pending_work != 0);
    --inside->pending_work;
    handler();
  });
}

void event_loop::on_terminate(loop_handler handler) { impl_->terminate = std::move(handler); }
void event_loop::on_hangup(loop_handler handler) { impl_->hangup = std::move(handler); }

// The word is taken back at the end, not at the start: another thread may have given it before this one came here.
status event_loop::run() {
  const auto ran = impl_->replay ? impl_->run_replayed() : impl_->run_real();
  impl_->stopped = false;
  return ran;
}

void event_loop::stop() {
  impl_->stopped = true;
  post([] {});  // wakes a loop that sleeps
}

std::size_t event_loop::poll() { return impl_->turn(); }

asio::io_context& event_loop::context() { return impl_->context; }

// ---- timers

loop_timer::loop_timer(event_loop& loop) : loop_(&loop) {}
loop_timer::~loop_timer() { cancel(); }

void loop_timer::set(mono_time at, loop_handler handler) {
  cancel();
  id_ = ++loop_->impl_->last_timer;
  at_ = at;
  loop_->impl_->timers.emplace(std::pair{at, id_}, event_loop::impl::deadline{this, std::move(handler)});
}
void loop_timer::set_after(millis delay, loop_handler handler) { set(loop_->now() + delay, std::move(handler)); }

void loop_timer::cancel() {
  if (id_ == 0) return;
  loop_->impl_->timers.erase({at_, id_});
  id_ = 0;
  at_ = never;
}
bool loop_timer::armed() const { return id_ != 0; }

// ---- descriptors

struct fd_watch::impl : std::enable_shared_from_this<fd_watch::impl> {
  impl(asio::io_context& context, loop_handler handler) : descriptor(context), on_readable(std::move(handler)) {}
  void arm() {
    descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                          [self = shared_from_this()](const boost::system::error_code& code) {
                            if (code || !self->alive) return;
                            self->on_readable();
                            if (self->alive) self->arm();
                          });
  }
  asio::posix::stream_descriptor descriptor;
  loop_handler on_readable;
  bool alive = true;
};

fd_watch::fd_watch(event_loop& loop, int fd, loop_handler on_readable)
    : impl_(std::make_shared<impl>(loop.context(), std::move(on_readable))) {
  boost::system::error_code code;
  impl_->descriptor.assign(fd, code);
  TOMO_REQUIRE(!code);  // the descriptor is not one that can be watched
  impl_->arm();
}

fd_watch::~fd_watch() {
  impl_->alive = false;
  impl_->descriptor.release();  // cancels the wait and leaves the descriptor open
}

}  // namespace tomoshibi
