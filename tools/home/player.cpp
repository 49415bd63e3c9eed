#include "tools/home/player.hpp"

#include "protocol/adapters/replay_clock.hpp"
#include "tools/replay/iso_time.hpp"

#include <poll.h>

#include <algorithm>
#include <cstdio>

namespace tomoshibi::home {

player::player(player_options options) : options_(std::move(options)) {}

status player::open() {
  if (auto opened = sockets_.open(options_.map); !opened) return opened;
  return control_.open(options_.control);
}

household& player::home_at(mono_time mono, wall_at wall) {
  if (!home_) {
    home_.emplace(options_.map, std::move(options_.timeline), options_.faults,
                  household_options{.start = wall, .mono_start = mono, .seed = options_.seed});
  }
  return *home_;
}

replay::local_participant::answer player::run(mono_time mono, wall_at wall) {
  household& home = home_at(mono, wall);
  std::uint64_t handlers = 0;
  if (!started_) {
    started_ = true;
    ++handlers;
    home.on_start(mono, out_);
  }
  handlers += control_.drain(mono, home, out_);
  if (home.next_wake() <= mono) {
    ++handlers;
    home.on_wake(mono, out_);
  }
  sockets_.send(out_);
  handlers += sockets_.drain(mono, home);
  return {.handlers = handlers, .next = home.next_wake()};
}

status player::run_by_conductor(const std::string& socket_path) {
  auto clock = replay_clock::join(socket_path, name());
  if (!clock) return std::unexpected(clock.error());
  while (!replay::stop_requested()) {
    const auto turn = clock->wait(-1);
    if (!turn) return turn.error().code == errc::net_closed ? status{} : std::unexpected(turn.error());
    const answer done = run(clock->now(), clock->wall().at);
    if (auto sent = clock->answer(done.handlers, done.next); !sent) return {};
  }
  return {};
}

status player::run_by_machine(std::uint32_t speed, std::optional<wall_at> end, replay::progress_options progress) {
  const mono_time real_start = replay::real_now();
  mono_time tell_at = real_start;
  const auto factor = static_cast<std::int64_t>(speed);
  while (!replay::stop_requested()) {
    const mono_time real = replay::real_now();
    const millis elapsed = (real - real_start) * factor;
    const wall_at wall = options_.start + elapsed;
    if (end && wall >= *end) break;
    const mono_time mono = replay::replay_mono_start + elapsed;
    const answer done = run(mono, wall);
    if (progress.enabled && real >= tell_at) {
      tell_at = real + (progress.terminal ? replay::progress_every_terminal : replay::progress_every_log);
      std::fprintf(stderr, progress.terminal ? "\r\x1b[Khome %s" : "home %s\n",
                   replay::format_iso_time(std::chrono::floor<std::chrono::seconds>(wall)).c_str());
    }
    millis sleep = 200ms;
    if (done.next != never) sleep = std::clamp((done.next - mono) / factor, millis{0}, sleep);
    pollfd readable[] = {{.fd = sockets_.descriptor(), .events = POLLIN, .revents = 0},
                         {.fd = control_.descriptor(), .events = POLLIN, .revents = 0}};   // below 0: not looked at
    ::poll(readable, 2, static_cast<int>(sleep.count()));
  }
  if (progress.enabled && progress.terminal) std::fputs("\n", stderr);
  return {};
}

std::string player::summary() const {
  const std::size_t played = home_ ? home_->changes_played() : 0;
  const std::size_t all = home_ ? home_->changes() : options_.timeline.size();
  return "{\"event\":\"home\",\"changes_played\":" + std::to_string(played) + ",\"changes\":" + std::to_string(all) +
         ",\"datagrams_received\":" + std::to_string(sockets_.received()) + ",\"datagrams_sent\":" +
         std::to_string(sockets_.sent()) + ",\"send_failures\":" + std::to_string(sockets_.send_failures()) + "}";
}

}  // namespace tomoshibi::home
