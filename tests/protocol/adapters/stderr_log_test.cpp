// Goal: a program never waits for the reader of its log, and says how much that reader has missed.
#include "protocol/adapters/stderr_log.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <thread>
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
  ~small_pipe() {
    ::dup2(former_, STDERR_FILENO);
    ::close(former_);
    hang_up();
  }
  void hang_up() {
    if (reader_ >= 0) ::close(reader_);
    reader_ = -1;
  }
  // Whole lines that are there now.
  std::vector<std::string> take() {
    std::array<char, 65536> piece;
    for (ssize_t got; (got = ::read(reader_, piece.data(), piece.size())) > 0;) rest_.append(piece.data(), static_cast<std::size_t>(got));
    std::vector<std::string> out;
    for (std::size_t end; (end = rest_.find('\n')) != std::string::npos; rest_.erase(0, end + 1)) out.push_back(rest_.substr(0, end));
    CHECK(rest_.empty());                      // no line is torn
    return out;
  }

private:
  int former_;
  int reader_ = -1;
  std::string rest_;
};

std::size_t lost_in(const std::string& line) {
  const auto at = line.find("evt=lines_lost lines=");
  REQUIRE(at != std::string::npos);
  return std::stoul(line.substr(at + std::string("evt=lines_lost lines=").size()));
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
      if (line.find("evt=lines_lost") != std::string::npos) lost += lost_in(line);
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
  module.info("long", {{"text", std::string(10'000, 'x')}});
  const auto read = pipe.take();
  REQUIRE(read.size() == 1);
  CHECK(read[0].size() == log_line_max - 1);
  pipe.hang_up();
  const auto former = std::signal(SIGPIPE, SIG_IGN);
  for (int i = 0; i < 100; ++i) module.info("line");
  std::signal(SIGPIPE, former);
  SUCCEED();
}
