#include "tools/bench.d/load/commands.hpp"

#include <algorithm>
#include <cstdio>
#include <poll.h>
#include <sstream>
#include <unistd.h>

namespace tomoshibi::load {
namespace {

constexpr double turn_s = 0.01;
constexpr double silent_phase_s = 5;  // how often a long phase is told

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text)
    if (c == '"' || c == '\\') out += std::string{'\\', c};
    else if (static_cast<unsigned char>(c) >= 0x20) out += c;
  return out + "\"";
}

double percentile(std::vector<float>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto at = static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1));
  return static_cast<double>(sorted[at]);
}

void answer(swarm& s, double seconds, bool in_time) {
  const swarm_counts& c = s.counts();
  auto times = s.take_ack_times();
  std::ranges::sort(times);
  std::string failures;
  for (const auto& [why, count] : s.failures()) failures += (failures.empty() ? "" : ", ") + quoted(why) + ": " + std::to_string(count);
  std::printf(
      "{\"seconds\": %.4f, \"in_time\": %s, \"wanted\": %zu, \"ready\": %zu, \"handshakes\": %llu, \"resumed\": %llu, "
      "\"drops\": %llu, \"dial_failures\": %llu, \"acknowledged\": %llu, \"unacknowledged\": %llu, "
      "\"ack_ms\": {\"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f, \"count\": %zu}, \"failures\": {%s}}\n",
      seconds, in_time ? "true" : "false", c.wanted, c.ready, static_cast<unsigned long long>(c.handshakes),
      static_cast<unsigned long long>(c.resumed), static_cast<unsigned long long>(c.drops),
      static_cast<unsigned long long>(c.dial_failures), static_cast<unsigned long long>(c.acknowledged),
      static_cast<unsigned long long>(c.unacknowledged), percentile(times, 0.5), percentile(times, 0.99), percentile(times, 1),
      times.size(), failures.c_str());
  std::fflush(stdout);
  s.reset_counts();
}

// Turns until `done` or the limit; false: the limit came first.
template <class F>
bool turn_until(swarm& s, double limit_s, F done) {
  const double end = s.now() + limit_s;
  double told = s.now();
  s.turn(0);
  while (!done()) {
    const double at = s.now();
    if (at > end) return false;
    if (at - told > silent_phase_s) {
      told = at;
      std::fprintf(stderr, "tomoshibi-load: %zu of %zu ready, %llu messages acknowledged\n", s.counts().ready, s.counts().wanted,
                   static_cast<unsigned long long>(s.counts().acknowledged));
    }
    s.turn(turn_s);
  }
  return true;
}

bool all_ready(const swarm& s) { return s.counts().ready == s.counts().wanted; }

void ingest(swarm& s, std::uint64_t messages, double limit_s) {
  const double began = s.now();
  for (std::size_t i = 0; i < s.counts().wanted; ++i) {
    s.ask(i, messages);
    if (i % 64 == 63) s.turn(0);  // the server begins while we still encode
  }
  const bool in_time = turn_until(s, limit_s, [&s] { return s.counts().unacknowledged == 0; });
  answer(s, s.now() - began, in_time);
}

void steady(swarm& s, double rate, double seconds, double limit_s) {
  const double began = s.now();
  std::uint64_t asked = 0;
  while (s.now() - began < seconds) {
    const auto due = static_cast<std::uint64_t>((s.now() - began) * rate);
    for (; asked < due; ++asked) s.ask(asked % s.counts().wanted, 1);
    s.turn(0.001);
  }
  const bool in_time = turn_until(s, limit_s, [&s] { return s.counts().unacknowledged == 0; });
  answer(s, s.now() - began, in_time);
}

bool obey_line(swarm& s, const std::string& line) {
  std::istringstream words{line};
  std::string verb;
  words >> verb;
  const double began = s.now();
  double limit_s = 60;
  if (verb == "connect") {
    std::size_t count = 0;
    std::string how;
    words >> count >> how >> limit_s;
    s.want(count, how == "backoff" ? redial::backoff : redial::window);
    const bool in_time = turn_until(s, limit_s, [&s] { return all_ready(s); });
    answer(s, s.now() - began, in_time);
  } else if (verb == "hangup" || verb == "await") {
    words >> limit_s;
    if (verb == "hangup") s.hang_up();
    const bool in_time = turn_until(s, limit_s, [&s] { return all_ready(s); });
    answer(s, s.now() - began, in_time);
  } else if (verb == "ingest") {
    std::uint64_t messages = 0;
    words >> messages >> limit_s;
    ingest(s, messages, limit_s);
  } else if (verb == "steady") {
    double rate = 0, seconds = 0;
    words >> rate >> seconds >> limit_s;
    steady(s, rate, seconds, limit_s);
  } else if (verb == "idle") {
    double seconds = 0;
    words >> seconds;
    turn_until(s, seconds, [] { return false; });
    answer(s, s.now() - began, true);
  } else {
    return false;
  }
  return true;
}

}  // namespace

int obey(swarm& s) {
  std::string heard;
  for (;;) {
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    if (::poll(&input, 1, 0) == 0) {  // between orders connections end and are dialled again, as in life
      s.turn(turn_s);
      continue;
    }
    char piece[256];
    const ssize_t n = ::read(STDIN_FILENO, piece, sizeof piece);
    if (n <= 0) return 0;
    heard.append(piece, static_cast<std::size_t>(n));
    for (auto end = heard.find('\n'); end != std::string::npos; end = heard.find('\n')) {
      const std::string line = heard.substr(0, end);
      heard.erase(0, end + 1);
      if (line == "quit") return 0;
      if (obey_line(s, line)) continue;
      std::fprintf(stderr, "tomoshibi-load: unknown order '%s'; see tools/bench.d/load/commands.hpp\n", line.c_str());
      return 2;
    }
  }
}

}  // namespace tomoshibi::load
