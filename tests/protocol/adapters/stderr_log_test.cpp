// Goal: a program never waits for the reader of its log, and says how much that reader has missed.
#include "protocol/adapters/stderr_log.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <thread>
#include <termios.h>
#include <unistd.h>
#include <vector>

using namespace tomoshibi;

namespace {

// Standard error is a pipe of one page while this lives.
class small_pipe {
public:
  small_pipe() : former_(::dup(STDERR_FILENO)) {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    REQUIRE(::fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 4096);
    REQUIRE(::dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
    ::close(ends[1]);
    reader_ = ends[0];
    ::fcntl(reader_, F_SETFL, O_NONBLOCK);
  }
  // A terminal instead.
  struct terminal {};
  explicit small_pipe(terminal) : former_(::dup(STDERR_FILENO)), reader_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    REQUIRE(reader_ >= 0);
    REQUIRE(::grantpt(reader_) == 0);
    REQUIRE(::unlockpt(reader_) == 0);
    const int slave = ::open(::ptsname(reader_), O_RDWR | O_NOCTTY | O_CLOEXEC);
    REQUIRE(slave >= 0);
    termios raw{};
    REQUIRE(::tcgetattr(slave, &raw) == 0);
    ::cfmakeraw(&raw);
    REQUIRE(::tcsetattr(slave, TCSANOW, &raw) == 0);
    REQUIRE(::dup2(slave, STDERR_FILENO) == STDERR_FILENO);
    ::close(slave);
    ::fcntl(reader_, F_SETFL, O_NONBLOCK);
  }
  ~small_pipe() {
    ::dup2(former_, STDERR_FILENO);
    ::close(former_);
    hang_up();
  }
  void hang_up() {
    if (reader_ >= 0) ::close(reader_);
    reader_ = -1;
  }
  bool something_comes(millis patience) const {
    pollfd there{reader_, POLLIN, 0};
    return ::poll(&there, 1, static_cast<int>(patience.count())) > 0;
  }
  // Whole lines that are there now.
  std::vector<std::string> take() {
    std::array<char, 65536> piece;
    for (ssize_t got; (got = ::read(reader_, piece.data(), piece.size())) > 0;) rest_.append(piece.data(), static_cast<std::size_t>(got));
    std::vector<std::string> out;
    for (std::size_t end; (end = rest_.find('\n')) != std::string::npos; rest_.erase(0, end + 1)) out.push_back(rest_.substr(0, end));
    return out;
  }

private:
  int former_;
  int reader_ = -1;
  std::string rest_;
};

std::size_t lost_in(const std::string& line) {
  const auto at = line.find("evt=dropped lines=");
  REQUIRE(at != std::string::npos);
  return std::stoul(line.substr(at + std::string("evt=dropped lines=").size()));
}

}  // namespace

TEST_CASE("nobody reads: no line waits for ever, and what was lost is counted") {
  const system_clock_source clock;
  small_pipe pipe;
  stderr_log log(clock, log_level::info);
  const logger module{log, "test"};
  for (int i = 0; i < 1'000; ++i) module.info("line", {{"n", i}});
  const auto read = pipe.take();
  REQUIRE(read.size() < 1'000);
  CHECK(read.front().find("n=0") != std::string::npos);
  module.info("again");
  auto more = pipe.take();
  REQUIRE(more.size() == 2);
  CHECK(read.size() + lost_in(more[0]) == 1'000);
  CHECK(more[1].find("evt=again") != std::string::npos);
  module.info("again");
  CHECK(pipe.take().size() == 1);
}

// Found on a terminal that nobody read: it says that there is room, and takes a part of the line.
TEST_CASE("a terminal that nobody looks at") {
  if (::access("/dev/ptmx", R_OK | W_OK) != 0 || ::access("/dev/pts", X_OK) != 0) SKIP("this machine has no terminals");
  const system_clock_source clock;
  small_pipe pipe{small_pipe::terminal{}};
  stderr_log log(clock, log_level::info);
  const logger module{log, "test"};
  for (int i = 0; i < 5'000; ++i) module.info("line", {{"n", i}, {"text", std::string(100, 'x')}});
  std::size_t sent = 5'000, lines = 0, lost = 0;
  for (int tries = 0; tries < 1'000 && (lost == 0 || lines + lost < sent); ++tries) {
    if (!pipe.something_comes(millis{50})) {   // the kernel hands it on when it likes: all of it is here now
      module.info("again");
      ++sent;
    }
    for (const auto& line : pipe.take()) {
      CHECK(line.starts_with("ts="));
      if (line.find("evt=dropped") != std::string::npos) lost += lost_in(line);
      else ++lines;
    }
  }
  CHECK(lost > 0);
  CHECK(lines + lost == sent);
}

TEST_CASE("threads that write while a reader comes and goes: every line is whole, and written or counted") {
  const system_clock_source clock;
  small_pipe pipe;
  stderr_log log(clock, log_level::info);
  constexpr int each = 2'000;
  std::vector<std::thread> writers;
  std::atomic<int> busy = 3;
  for (int t = 0; t < 3; ++t)
    writers.emplace_back([&log, &busy] {
      const logger module{log, "test"};
      for (int i = 0; i < each; ++i) module.info("line", {{"n", i}});
      --busy;
    });
  std::size_t lines = 0, lost = 0;
  const auto count = [&] {
    for (const auto& line : pipe.take()) {
      if (line.find("evt=dropped") != std::string::npos) lost += lost_in(line);
      else ++lines;
    }
  };
  while (busy != 0) count();
  for (auto& w : writers) w.join();
  count();
  logger{log, "test"}.info("last");
  count();
  CHECK(lines + lost == 3 * each + 1);
}

TEST_CASE("a reader that hung up, and a line that is too long") {
  const system_clock_source clock;
  small_pipe pipe;
  stderr_log log(clock, log_level::info);
  const logger module{log, "test"};
  std::string text;
  while (text.size() < 10'000) text += "あ";
  for (const char* before : {"", "a", "aa"}) {         // wherever a character is cut
    module.info("long", {{"text", before + text}});
    const auto read = pipe.take();
    REQUIRE(read.size() == 1);
    CHECK(read[0].size() < log_line_max);
    CHECK(read[0].size() > log_line_max - 5);
    CHECK(read[0].ends_with("あ"));
  }
  pipe.hang_up();
  const auto former = std::signal(SIGPIPE, SIG_IGN);
  for (int i = 0; i < 100; ++i) module.info("line");
  std::signal(SIGPIPE, former);
  SUCCEED();
}
