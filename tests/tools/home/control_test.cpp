// Goal: a running home does what it is told, and says what it did not understand.
#include "tools/home/control.hpp"

#include "tests/support/temporary_folder.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <thread>

using namespace tomoshibi;
using namespace tomoshibi::home;
using drivers::echonet::twin::notice;
using tomoshibi::testing::temporary_folder;

TEST_CASE("a command says who does what to which button, and how it is told") {
  const auto hand = parse_command("press kitchen 000301 hold=3 notice=infc");
  REQUIRE(hand);
  CHECK(hand->node == "kitchen");
  CHECK(hand->object.value == 0x000301);
  CHECK(hand->pressed);
  CHECK(hand->hold == 3s);
  CHECK(hand->tell == notice::infc);
  CHECK_FALSE(parse_command("release bath 000401")->pressed);
  CHECK(parse_command("press bath 000401 notice=silent")->tell == notice::none);
  for (const char* bad : {"", "press", "press a", "push a 000301", "press a 0003", "press a 00030x", "press a 000301 hold=0",
                          "press a 000301 hold=86401", "release a 000301 hold=3", "press a 000301 loud", "press a 000301 notice=x"})
    CHECK_FALSE(parse_command(bad));
}

TEST_CASE("a home is told through its socket, and answers; a second one does not take its place") {
  const temporary_folder folder;
  const std::string path = folder.path() + "/control";
  mapping map;
  map.nodes.push_back({.name = "n", .number = 7});
  mapped_device d;
  d.node = "n";
  d.eoj = {0x000301};
  map.devices = {d};
  household home(map, {}, {}, {.start = {}, .mono_start = mono_from_ms(1), .seed = 1});
  control_socket socket;
  REQUIRE(socket.open(path));
  control_socket second;
  CHECK_FALSE(second.open(path));
  std::vector<outgoing> out;
  std::atomic<bool> stop = false;
  std::thread runs([&] {
    while (!stop) {
      socket.drain(mono_from_ms(1), home, out);
      std::this_thread::yield();
    }
  });
  CHECK(tell_home(path, "press n 000301"));
  const auto unknown = tell_home(path, "press m 000301");
  const auto nonsense = tell_home(path, "dance");
  stop = true;
  runs.join();
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().detail == "no such device: m");
  REQUIRE_FALSE(nonsense);
  CHECK(out.size() == 1);
  CHECK_FALSE(tell_home(folder.path() + "/none", "press n 000301"));
}
