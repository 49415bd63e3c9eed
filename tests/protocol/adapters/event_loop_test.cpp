#include "protocol/adapters/event_loop.hpp"
#include "protocol/adapters/stderr_log.hpp"
#include "tests/support/temporary_folder.hpp"

#include <catch2/catch_test_macros.hpp>

#include <csignal>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

namespace tomoshibi {
namespace {

using namespace testing;

std::unique_ptr<event_loop> open_loop(const std::string& socket = {}) {
  auto loop = event_loop::open({.replay_socket = socket, .name = "gateway"});
  REQUIRE(loop);
  return std::move(*loop);
}

// A core that wants to be woken at given times.
class alarm_part final : public loop_part {
public:
  explicit alarm_part(std::vector<mono_time> at) : at_(std::move(at)) {}
  mono_time next_wake() const override { return woken.size() < at_.size() ? at_[woken.size()] : never; }
  void on_wake(mono_time now) override {
    woken.push_back(now);
    if (woken.size() == at_.size() && last) last();
  }
  void on_turn_end(mono_time) override { ++turns; }
  std::vector<mono_time> woken;
  std::function<void()> last;  // called at the last wake
  int turns = 0;

private:
  std::vector<mono_time> at_;
};

// The conductor's end of the line, for a participant in another thread.
class conductor_end {
public:
  explicit conductor_end(const std::string& path) {
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, path.c_str(), path.size());
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 || ::listen(listener_, 1) != 0) std::abort();
  }
  ~conductor_end() {
    leave();
    ::close(listener_);
  }
  void accept() { fd_ = ::accept(listener_, nullptr, nullptr); }
  void leave() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  std::string line() {
    std::string text;
    char c = 0;
    while (::read(fd_, &c, 1) == 1 && c != '\n') text += c;
    return text;
  }
  void say(const std::string& text) { (void)!::write(fd_, text.data(), text.size()); }
  std::string ask(std::int64_t mono, std::int64_t wall) {
    say("run " + std::to_string(mono) + " " + std::to_string(wall) + "\n");
    return line();
  }

private:
  int listener_ = -1;
  int fd_ = -1;
};

}  // namespace

// Goal: timers ring in order of time, can be set again and cancelled, also from inside a handler.
TEST_CASE("timers") {
  auto loop = open_loop();
  std::string rang;
  loop_timer a(*loop), b(*loop), c(*loop), d(*loop);
  const mono_time now = loop->now();
  b.set(now + 2ms, [&] { rang += 'b'; d.cancel(); });
  a.set(now + 1ms, [&] {
    rang += 'a';
    a.set(now + 3ms, [&] {
      rang += 'A';
      c.set(now + 4ms, [&] { rang += 'c'; loop->stop(); });
    });
  });
  c.set(now, [&] { rang += 'x'; });
  c.set(now + 1h, [&] { rang += 'y'; });
  d.set(now + 3ms, [&] { rang += 'd'; });
  CHECK(c.armed());
  REQUIRE(loop->run());
  CHECK(rang == "abAc");
  CHECK_FALSE(c.armed());
}

// Goal: a part is woken when its time has come, not before, and each turn ends with its on_turn_end.
TEST_CASE("parts are woken in real time") {
  auto loop = open_loop();
  const mono_time now = loop->now();
  alarm_part part({now, now + 5ms, now + 6ms});
  part.last = [&] { loop->stop(); };  // however late the machine is
  loop->add(part);
  REQUIRE(loop->run());
  REQUIRE(part.woken.size() == 3);
  CHECK(part.woken[1] >= now + 5ms);
  CHECK(part.turns >= 3);
  loop->remove(part);
  loop->poll();
  const int turns = part.turns;
  loop->poll();
  CHECK(part.turns == turns);
}

// Goal: handlers and work from other threads run on the loop's thread.
TEST_CASE("work comes back to the loop's thread") {
  auto loop = open_loop();
  const auto here = std::this_thread::get_id();
  std::thread worker;
  bool same = false;
  loop->post([&] {
    loop->begin_work();
    worker = std::thread([&] {
      loop->finish_work([&] {
        same = std::this_thread::get_id() == here;
        loop->stop();
      });
    });
  });
  REQUIRE(loop->run());
  worker.join();
  CHECK(same);
}

// Goal: a descriptor is told as long as there is something to read, and a watch may end itself.
// Goal: a stop given before the run ends that run, and only that one.
TEST_CASE("a stop is not lost on a thread that has yet to begin its run") {
  // A daemon whose start fails stops the loop of a thread that it made a moment ago; with the word lost it waits for ever.
  auto loop = open_loop();
  loop->stop();
  REQUIRE(loop->run());
  loop_timer later(*loop);
  bool rang = false;
  later.set_after(1ms, [&] { rang = true; loop->stop(); });
  REQUIRE(loop->run());                                // a word is good for one run
  CHECK(rang);
}

TEST_CASE("descriptors are watched level-triggered") {
  auto loop = open_loop();
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  REQUIRE(::write(ends[1], "abc", 3) == 3);
  std::string got;
  std::unique_ptr<fd_watch> watch;
  watch = std::make_unique<fd_watch>(*loop, ends[0], [&] {
    char c = 0;
    if (::read(ends[0], &c, 1) == 1) got += c;
    if (got == "ab") {
      watch.reset();
      loop->stop();
    }
  });
  REQUIRE(loop->run());
  loop->poll();
  CHECK(got == "ab");
  CHECK(::close(ends[0]) == 0);  // still ours
  ::close(ends[1]);
}

// Goal: SIGTERM ends the loop in order, or calls whoever asked to be told.
TEST_CASE("signals") {
  auto loop = open_loop();
  SECTION("without a handler the loop stops") {
    REQUIRE(::kill(::getpid(), SIGTERM) == 0);
    REQUIRE(loop->run());
  }
  SECTION("with handlers they are called") {
    std::string told;
    loop->on_hangup([&] { told += 'h'; });
    loop->on_terminate([&] { told += 't'; loop->stop(); });
    REQUIRE(::kill(::getpid(), SIGHUP) == 0);
    loop->poll();
    REQUIRE(::kill(::getpid(), SIGINT) == 0);
    REQUIRE(loop->run());
    CHECK(told == "ht");
  }
}

// Goal: under a conductor the clock is the conductor's, everything due at that moment runs before the answer, and the
// answer names the next wake.
TEST_CASE("a replayed loop obeys its conductor") {
  const temporary_folder folder;
  conductor_end conductor(folder.file("s"));
  std::vector<std::string> answers;
  std::thread other([&] {
    conductor.accept();
    answers.push_back(conductor.line());
    for (std::int64_t mono : {1000, 1000, 1500, 3000, 3000}) answers.push_back(conductor.ask(mono, 1'546'300'800'000 + mono));
    conductor.leave();
  });
  auto loop = open_loop(folder.file("s"));
  CHECK(loop->replayed());
  alarm_part part({mono_from_ms(1000), mono_from_ms(2000), mono_from_ms(2500)});
  loop->add(part);
  loop_timer timer(*loop);
  std::thread worker;
  bool worked = false;
  // At 1500: a timer starts work elsewhere; the answer must wait for it.
  timer.set(mono_from_ms(1500), [&] {
    loop->begin_work();
    worker = std::thread([&] { loop->finish_work([&] { worked = true; }); });
  });
  const auto ended = loop->run();
  other.join();
  worker.join();
  REQUIRE_FALSE(ended);
  CHECK(ended.error().code == errc::net_closed);
  CHECK(answers == std::vector<std::string>{"join gateway", "ran 1 1500", "ran 0 1500", "ran 2 2000", "ran 2 never", "ran 0 never"});
  CHECK(worked);
  CHECK(part.woken == std::vector<mono_time>{mono_from_ms(1000), mono_from_ms(3000), mono_from_ms(3000)});
  CHECK(loop->now() == mono_from_ms(3000));
  CHECK(loop->wall() == wall_time{wall_from_ms(1'546'300'803'000), true});
}

// Goal: a conductor that does not keep its language, or whose time goes back, ends the participant with a reason.
TEST_CASE("a replayed loop refuses a broken conductor") {
  for (const char* words : {"hello\n", "run 5\n", "run 5 6 7\n", "run 10 10\nrun 9 10\n", "run x y\n"}) {
    CAPTURE(words);
    const temporary_folder folder;
    conductor_end conductor(folder.file("s"));
    std::thread other([&] {
      conductor.accept();
      conductor.line();
      conductor.say(words);
    });
    // The first word is read while the loop is opened, the later ones while it runs.
    auto loop = event_loop::open({.replay_socket = folder.file("s"), .name = "gateway"});
    const status ended = loop ? (*loop)->run() : std::unexpected(loop.error());
    other.join();
    REQUIRE_FALSE(ended);
    CHECK(ended.error().code == errc::malformed);
  }
  CHECK_FALSE(event_loop::open({.replay_socket = "/nonexistent/s", .name = "x"}));
  CHECK_FALSE(event_loop::open({.replay_socket = std::string(200, 'x'), .name = "x"}));
}

// Goal: SIGTERM reaches a replayed daemon while it waits for its conductor.
TEST_CASE("a replayed loop stops on a signal") {
  const temporary_folder folder;
  conductor_end conductor(folder.file("s"));
  const auto blocks_signals = open_loop();  // before the thread starts, which would otherwise take the signal
  std::thread other([&] {
    conductor.accept();
    conductor.line();
    conductor.ask(1, 1);
    ::kill(::getpid(), SIGTERM);
  });
  auto loop = open_loop(folder.file("s"));
  REQUIRE(loop->run());
  other.join();
}

// Goal: log lines carry the clock's time in UTC.
TEST_CASE("times are written in UTC") {
  CHECK(format_utc(wall_from_ms(0)) == "1970-01-01T00:00:00.000Z");
  CHECK(format_utc(wall_from_ms(1'582'934'399'999)) == "2020-02-28T23:59:59.999Z");
  CHECK(format_utc(wall_from_ms(1'582'934'400'000)) == "2020-02-29T00:00:00.000Z");
  CHECK(parse_log_level("warn") == log_level::warning);
  CHECK_FALSE(parse_log_level("loud"));
}

}  // namespace tomoshibi
