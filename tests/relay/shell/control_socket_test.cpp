// Goal: the control socket answers one line, stands garbage and half-open callers, and belongs to one relay at a time.
#include "relay/shell/control_socket.hpp"

#include "relay/shell/data_folder.hpp"
#include "tests/support/drive.hpp"
#include "tests/support/no_descriptors.hpp"
#include "tests/support/plain_socket.hpp"
#include "tests/support/temporary_folder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <list>
#include <sys/stat.h>

using namespace tomoshibi;
using namespace tomoshibi::relay;
using namespace tomoshibi::testing;

namespace {

// A test is not about time unless it says so, and the machine may be busy.
constexpr millis patient = 24h;

struct fixture {
  explicit fixture(millis patience_with_callers = patient) : patience(patience_with_callers) {}

  millis patience;
  temporary_folder folder;
  std::string path = folder.file("relay.sock");
  std::unique_ptr<event_loop> loop = event_loop::open({}).value();
  std::vector<std::string> asked;
  std::vector<control_socket::reply> later;
  std::unique_ptr<control_socket> socket = open().value();

  result<std::unique_ptr<control_socket>> open() {
    return control_socket::open(*loop, path, [this](std::string_view line, control_socket::reply answer) {
      asked.emplace_back(line);
      if (line == "later") return later.push_back(std::move(answer));
      answer("answer to " + std::string{line});
    }, patience);
  }
  std::string ask(std::string_view text) {
    auto caller = plain_socket::local(path);
    REQUIRE(caller.connected());
    caller.write(text);
    REQUIRE(drive(*loop, [&] { return caller.ended(); }));
    return caller.received();
  }
};

}  // namespace

TEST_CASE("one line is answered with one line") {
  fixture f;
  CHECK(f.ask("status\n") == "answer to status\n");
  CHECK(f.ask("reload\n") == "answer to reload\n");
}

TEST_CASE("only its owner may use it") {
  fixture f;
  struct stat facts{};
  REQUIRE(::stat(f.path.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
}

TEST_CASE("a line that is too long is refused, ended or not") {
  fixture f;
  CHECK(f.ask(std::string(control_line_max + 1, 'x')) == "error unknown command\n");
  CHECK(f.ask(std::string(control_line_max + 1, 'x') + "\n") == "error unknown command\n");
  CHECK(f.asked.empty());
  CHECK(f.ask(std::string(control_line_max, 'x') + "\n").starts_with("answer to xxx"));
}

TEST_CASE("a line may come in pieces, and a caller may leave in the middle") {
  fixture f;
  auto slow = plain_socket::local(f.path);
  slow.write("sta");
  settle(*f.loop);
  {
    auto gone = plain_socket::local(f.path);
    gone.write("rel");
    settle(*f.loop);
  }
  slow.write("tus\n");
  REQUIRE(drive(*f.loop, [&] { return slow.ended(); }));
  CHECK(slow.received() == "answer to status\n");
  CHECK(f.asked == std::vector<std::string>{"status"});
}

TEST_CASE("a caller that does not end its line in time is dropped") {
  fixture f(1ms);
  auto slow = plain_socket::local(f.path);
  REQUIRE(slow.connected());
  slow.write("sta");
  REQUIRE(drive(*f.loop, [&] { return slow.ended(); }));
  CHECK(slow.received().empty());
  CHECK(f.asked.empty());
}

TEST_CASE("an answer may come later, once, and for a caller that has gone it is dropped") {
  fixture f;
  auto caller = plain_socket::local(f.path);
  {
    auto gone = plain_socket::local(f.path);
    gone.write("later\n");
    caller.write("later\nmore\n");
    REQUIRE(drive(*f.loop, [&] { return f.later.size() == 2; }));
  }
  CHECK(f.ask("status\n") == "answer to status\n");
  CHECK_FALSE(caller.ended());
  for (int twice = 0; twice < 2; ++twice)
    for (const auto& answer : f.later) answer("done");
  REQUIRE(drive(*f.loop, [&] { return caller.ended(); }));
  CHECK(caller.received() == "done\n");
  f.socket.reset();
  for (const auto& answer : f.later) answer("too late");
}

TEST_CASE("callers over the limit are dropped and the others are served") {
  fixture f;
  std::list<plain_socket> idle;
  for (std::size_t i = 0; i < control_connections_max; ++i) idle.emplace_back(plain_socket::local(f.path));
  settle(*f.loop);
  CHECK(f.ask("status\n").empty());
  idle.pop_front();
  settle(*f.loop);
  CHECK(f.ask("status\n") == "answer to status\n");
}

TEST_CASE("a second relay in the same folder is refused") {
  fixture f;
  const auto second = f.open();
  REQUIRE_FALSE(second);
  CHECK(second.error().code == errc::already_exists);
  CHECK(f.ask("status\n") == "answer to status\n");
}

TEST_CASE("the path of a relay that died is taken over, and a live one removes its own") {
  fixture f;
  f.socket.reset();
  CHECK_FALSE(std::ifstream(f.path).good());
  struct stat facts{};
  CHECK(::stat(f.path.c_str(), &facts) != 0);
  std::ofstream(f.path) << "left over";
  auto again = f.open();
  REQUIRE(again);
  CHECK(f.ask("status\n") == "answer to status\n");
}

TEST_CASE("a folder with too long a name is refused with a clear error") {
  fixture f;
  const auto opened = control_socket::open(*f.loop, "/tmp/" + std::string(200, 'x'), [](auto, auto) {});
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == errc::config_invalid);
}

TEST_CASE("a caller for whom there is no descriptor waits, and does not keep the loop busy") {
  fixture f;
  auto waiting = plain_socket::local(f.path);
  REQUIRE(waiting.connected());
  std::size_t handlers = 0;
  {
    const no_descriptors none;
    for (int turn = 0; turn < 2'000; ++turn) handlers += f.loop->poll();
  }
  CHECK(handlers < 200);
  waiting.write("status\n");
  REQUIRE(drive(*f.loop, [&] { return waiting.ended(); }));
  CHECK(waiting.received() == "answer to status\n");
}
