// Goal: handshakes pass one at a time, those that have begun first, and whatever else is ready runs in between.
#include "protocol/adapters/handshake_gate.hpp"

#include <catch2/catch_test_macros.hpp>
#include <algorithm>
#include <functional>
#include <string>

using namespace tomoshibi;

namespace {

struct fixture {
  std::unique_ptr<event_loop> loop = event_loop::open({}).value();
  std::shared_ptr<handshake_gate> gate = std::make_shared<handshake_gate>(*loop);
  std::string told;
  void drain() {
    while (loop->poll() != 0) {}
  }
};

}  // namespace

TEST_CASE("one handshake between two rounds of everything else") {
  fixture f;
  // A live session that always has something more to do, as under load: it must run between any two handshakes.
  std::function<void(int)> live = [&f, &live](int left) {
    f.told += 'l';
    if (left > 1) f.loop->post([&live, left] { live(left - 1); });
  };
  f.loop->post([&live] { live(5); });
  for (int i = 0; i < 4; ++i) f.gate->queue(false, [&f] { f.told += 'H'; });
  CHECK(f.gate->waiting() == 4);
  f.drain();
  CHECK(f.told.find("HH") == std::string::npos);
  CHECK(std::count(f.told.begin(), f.told.end(), 'H') == 4);
  CHECK(f.gate->waiting() == 0);
}

TEST_CASE("what has begun is finished before anything new, each in its order") {
  fixture f;
  f.gate->queue(false, [&f] { f.told += "a"; });
  f.gate->queue(false, [&f] {
    f.told += "b";
    f.gate->queue(true, [&f] { f.told += "B"; });
  });
  f.gate->queue(false, [&f] { f.told += "c"; });
  f.gate->queue(true, [&f] { f.told += "X"; });
  f.gate->queue(true, [&f] { f.told += "Y"; });
  f.drain();
  CHECK(f.told == "XYabBc");
}

TEST_CASE("the gate may go while steps wait") {
  fixture f;
  f.gate->queue(false, [&f] {
    f.told += "a";
    f.gate.reset();
  });
  f.gate->queue(false, [&f] { f.told += "b"; });
  f.drain();
  CHECK(f.told == "ab");
}
