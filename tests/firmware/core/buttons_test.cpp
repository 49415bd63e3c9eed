// Goal: of what drivers tell about emergency buttons each press is heard once, under whatever name it comes; buttons are
// supervised, also those that were only known before; what is saved is what is known.
#include "firmware/core/buttons.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

namespace {

constexpr std::string_view kitchen = "fe00007700000000000000000000000001/000301";
constexpr std::string_view bath = "fe00007700000000000000000000000001/000402";

struct bench {
  firmware::buttons buttons{900s};
  mono_time now = mono_from_ms(1'000'000);
  buttons_output out;

  drivers::reading reading(std::string_view device, std::uint32_t eoj) const {
    drivers::reading r;
    r.device = device;
    r.eoj = eoj;
    return r;
  }
  void announced(std::string_view device, bool pressed) {
    auto r = reading(device, 0x000301);
    r.active = pressed;
    r.announced = true;
    r.polled = false;
    buttons.on_reading(now, r, out);
  }
  void found(std::string_view device, bool pressed) {
    auto r = reading(device, 0x000301);
    r.active = pressed;
    buttons.on_reading(now, r, out);
  }
  void doubted(std::string_view device) {
    auto r = reading(device, 0x000301);
    r.doubted = true;
    buttons.on_reading(now, r, out);
  }
  void pass(millis time) {
    const mono_time end = now + time;
    while (buttons.next_wake() <= end) {
      now = std::max(now, buttons.next_wake());
      buttons.on_wake(now, out);
      for (const auto& k : buttons.to_save(now)) saved.push_back(k);
      REQUIRE(buttons.next_wake() > now);
    }
    now = end;
  }
  std::vector<known_button> saved;
  std::size_t presses() const { return out.presses.size(); }
};

}  // namespace

TEST_CASE("what is announced is a press, by its class; held it is one, and released and pressed again another") {
  bench b;
  b.announced(kitchen, true);
  REQUIRE(b.presses() == 1);
  CHECK(b.out.presses[0].button == kitchen);
  CHECK(b.out.presses[0].source == press_source::button);
  for (int i = 0; i < 50; ++i) {
    b.pass(1s);
    b.announced(kitchen, true);
  }
  CHECK(b.presses() == 1);
  b.announced(kitchen, false);
  b.pass(2s);
  b.announced(kitchen, true);
  CHECK(b.presses() == 2);
  b.announced(bath, true);
  REQUIRE(b.presses() == 3);
  CHECK(b.out.presses[2].source == press_source::first_aid);
}

TEST_CASE("found pressed: a press if it was last known released, also before the box was off; else it is stuck") {
  bench b;
  b.doubted(kitchen);
  CHECK(b.presses() == 0);
  REQUIRE(b.out.troubles.size() == 1);
  CHECK(b.out.troubles[0].kind == trouble_kind::button_stuck);
  CHECK(b.out.troubles[0].on);
  bench c;
  c.buttons.on_loaded(c.now, {{std::string{kitchen}, false}});
  c.doubted(kitchen);
  CHECK(c.presses() == 1);
  bench d;
  d.found(kitchen, false);
  d.found(kitchen, true);
  CHECK(d.presses() == 1);
}

TEST_CASE("a press of a host that has not said who it is, is the same press when it has") {
  bench b;
  b.announced("ip:192.0.2.7/000301", true);
  CHECK(b.presses() == 1);
  b.pass(3s);
  b.announced(kitchen, true);
  b.doubted(kitchen);
  CHECK(b.presses() == 1);
  CHECK(b.buttons.count() == 1);
  b.announced("ip:192.0.2.8/000302", true);   // another object is another button
  CHECK(b.presses() == 2);
}

TEST_CASE("a button that is not heard of for its period is in trouble, also one that only was known; anything heard ends it") {
  bench b;
  b.buttons.on_loaded(b.now, {{std::string{kitchen}, false}, {"gpiochip0:5", false}});
  b.found(bath, false);
  b.pass(900s - 1ms);
  CHECK(b.out.troubles.empty());
  b.pass(1ms);
  REQUIRE(b.out.troubles.size() == 2);       // the one of the box is wired: it is not supervised
  CHECK(b.buttons.troubled() == 2);
  b.buttons.on_presence(b.now, {.device = std::string{kitchen}, .eoj = 0x000301, .change = drivers::presence_change::back}, b.out);
  auto r = b.reading(bath, 0x000402);
  r.operating = true;
  b.buttons.on_reading(b.now, r, b.out);
  REQUIRE(b.out.troubles.size() == 4);
  CHECK_FALSE(b.out.troubles[2].on);
  CHECK_FALSE(b.out.troubles[3].on);
  CHECK(b.buttons.troubled() == 0);
}

TEST_CASE("that it is said to be silent does not make it heard of") {
  bench b;
  b.found(kitchen, false);
  b.pass(800s);
  b.buttons.on_presence(b.now, {.device = std::string{kitchen}, .eoj = 0x000301, .change = drivers::presence_change::silent}, b.out);
  b.pass(100s);
  CHECK(b.buttons.troubled() == 1);
}

TEST_CASE("what is known is saved a little later, at most once a second, and again if it could not be") {
  bench b;
  b.announced(kitchen, true);
  CHECK(b.saved.empty());
  b.pass(button_saved_after);
  CHECK(b.saved == std::vector<known_button>{{std::string{kitchen}, true}});
  b.buttons.save_again(b.now, b.saved[0]);
  b.pass(button_saved_every);
  CHECK(b.saved.size() == 2);
  b.announced(kitchen, false);
  b.announced(kitchen, true);
  b.pass(10s);
  CHECK(b.saved.size() == 2);
  b.announced(kitchen, false);
  b.pass(10s);
  REQUIRE(b.saved.size() == 3);
  CHECK_FALSE(b.saved[2].pressed);
}

TEST_CASE("more buttons than there is room for: a press is heard all the same, and the one unheard for longest gives way") {
  bench b;
  for (std::size_t i = 0; i < buttons_max + 20; ++i) {
    b.pass(1ms);
    b.announced("fe" + std::to_string(i) + "/000301", true);
  }
  CHECK(b.presses() == buttons_max + 20);
  CHECK(b.buttons.count() == buttons_max);
  b.announced("fe" + std::to_string(buttons_max + 19) + "/000301", true);
  CHECK(b.presses() == buttons_max + 20);
}

TEST_CASE("a name of any length is one that can be kept") {
  bench b;
  b.buttons.on_state(b.now, std::string(500, 'x'), true, button_heard::announced, b.out);
  REQUIRE(b.presses() == 1);
  CHECK(b.out.presses[0].button.size() == button_name_max);
  CHECK(b.out.presses[0].source == press_source::box);
  b.buttons.on_state(b.now, std::string(500, 'x'), true, button_heard::announced, b.out);
  CHECK(b.buttons.count() == 1);
}
