#include "tests/firmware/emergency_store_contract.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>

namespace tomoshibi::firmware {
namespace {

constexpr std::uint64_t top_bit = std::uint64_t{1} << 63;  // ids and times use all of their bits

press press_of(std::uint64_t id, press_stage stage = press_stage::calling) {
  return {.id = press_id{id}, .source = press_source::box, .button = "box-1", .occurred = wall_from_ms(1'780'000'000'000),
          .test = false, .stage = stage};
}

emergency_state load(emergency_store& store) {
  auto state = store.load();
  REQUIRE(state.has_value());
  return *state;
}

std::string numbered(std::size_t i) { return "button-" + std::to_string(i); }

// A plain model of the port.
struct model {
  emergency_state state;

  void put(const press& what) {
    const auto at = std::ranges::find(state.open, what.id, &press::id);
    if (at != state.open.end()) *at = what;
    else state.open.push_back(what);
  }
  void forget(press_id id) {
    std::erase_if(state.open, [id](const press& p) { return p.id == id; });
  }
  void put_button(const known_button& what) {
    std::erase_if(state.buttons, [&what](const known_button& b) { return b.button == what.button; });
    state.buttons.push_back(what);
    if (state.buttons.size() > known_buttons_max) state.buttons.erase(state.buttons.begin());
  }
};

void one_step(prng& random, emergency_store& store, model& m) {
  if (random.chance(250)) {
    const known_button button{numbered(random.below(90)), random.chance(500)};
    REQUIRE(store.put_button(button));
    return m.put_button(button);
  }
  const press_id id{1 + random.below(80)};
  if (random.chance(350)) {
    REQUIRE(store.forget(id));
    return m.forget(id);
  }
  const press what = random_press(random, id);
  const bool held = std::ranges::find(m.state.open, id, &press::id) != m.state.open.end();
  const status done = store.put(what);
  REQUIRE(done.has_value() == (held || m.state.open.size() < presses_max));
  if (done) m.put(what);
}

}  // namespace

press random_press(prng& random, press_id id) {
  press what;
  what.id = id;
  what.source = press_source{static_cast<std::uint8_t>(1 + random.below(4))};
  what.button.resize(random.below(button_name_max + 1));
  for (char& c : what.button) c = static_cast<char>(random.next());
  what.occurred = wall_from_ms(random.chance(200) ? 0 : static_cast<std::int64_t>(random.below(4'000'000'000'000)));
  what.test = random.chance(300);
  what.stage = press_stage{static_cast<std::uint8_t>(1 + random.below(3))};
  return what;
}

std::string text_of(const emergency_state& state) {
  std::string out;
  for (const press& p : state.open) {
    out += "press " + std::to_string(static_cast<std::uint64_t>(p.id)) + " source " + std::to_string(static_cast<int>(p.source)) +
           " stage " + std::to_string(static_cast<int>(p.stage)) + (p.test ? " test" : "") + " at " +
           std::to_string(to_ms(p.occurred)) + " of " + p.button + "\n";
  }
  for (const known_button& b : state.buttons) out += "button " + b.button + (b.pressed ? " pressed\n" : " released\n");
  return out;
}

void check_emergency_store_contract(const make_emergency_medium& make) {
  auto medium = make();
  auto store = medium->open();
  const auto restart = [&medium, &store] {
    store.reset();
    store = medium->open();
  };

  SECTION("a new store is empty and whole") {
    const auto state = load(*store);
    CHECK(state.open.empty());
    CHECK(state.buttons.empty());
    CHECK(state.damaged == 0);
  }
  SECTION("every field survives a restart, also without a load before the first put") {
    press what{.id = press_id{top_bit + 5}, .source = press_source::first_aid, .button = std::string(button_name_max, '\xff'),
               .occurred = wall_from_ms(1'780'000'000'123), .test = true, .stage = press_stage::received,
               .path = press_path::direct, .undelivered = true, .request = top_bit | 9};
    REQUIRE(store->put(what));
    REQUIRE(store->put_button({"kitchen", true}));
    restart();
    CHECK(load(*store).open == std::vector{what});
    CHECK(load(*store).buttons == std::vector{known_button{"kitchen", true}});
  }
  SECTION("a press that goes further keeps its place") {
    for (std::uint64_t id : {30u, 10u, 20u}) REQUIRE(store->put(press_of(id)));
    REQUIRE(store->put(press_of(30, press_stage::accepted)));
    restart();
    const std::vector wanted{press_of(30, press_stage::accepted), press_of(10), press_of(20)};
    CHECK(load(*store).open == wanted);
  }
  SECTION("a press that comes after a forgotten one is last") {
    for (std::uint64_t id : {1u, 2u, 3u}) REQUIRE(store->put(press_of(id)));
    REQUIRE(store->forget(press_id{1}));
    REQUIRE(store->put(press_of(4)));
    restart();
    REQUIRE(store->put(press_of(1)));
    const std::vector wanted{press_of(2), press_of(3), press_of(4), press_of(1)};
    CHECK(load(*store).open == wanted);
  }
  SECTION("forgetting what is not there is no error and changes nothing") {
    REQUIRE(store->put(press_of(1)));
    CHECK(store->forget(press_id{2}));
    CHECK(store->forget(press_id{}));
    CHECK(load(*store).open.size() == 1);
  }
  SECTION("one more than presses_max is refused; those that are held still go further; a forgotten one makes room") {
    for (std::uint64_t id = 1; id <= presses_max; ++id) REQUIRE(store->put(press_of(id)));
    const auto done = store->put(press_of(1000));
    REQUIRE_FALSE(done);
    CHECK(done.error().code == errc::refused);
    CHECK(store->put(press_of(7, press_stage::accepted)));
    restart();
    CHECK(load(*store).open.size() == presses_max);
    CHECK(load(*store).open[6].stage == press_stage::accepted);
    REQUIRE(store->forget(press_id{9}));
    CHECK(store->put(press_of(1000)));
    CHECK(load(*store).open.back() == press_of(1000));
  }
  SECTION("a name that is too long is refused and nothing is kept") {
    auto what = press_of(1);
    what.button.assign(button_name_max + 1, 'x');
    for (const auto& done : {store->put(what), store->put_button({what.button, true})}) {
      REQUIRE_FALSE(done);
      CHECK(done.error().code == errc::refused);
    }
    CHECK(text_of(load(*store)).empty());
  }
  SECTION("of a button the last word is kept; beyond the limit the one not heard of for longest goes") {
    for (std::size_t i = 0; i < known_buttons_max; ++i) REQUIRE(store->put_button({numbered(i), true}));
    REQUIRE(store->put_button({numbered(0), false}));
    REQUIRE(store->put_button({"one more", true}));
    restart();
    const auto buttons = load(*store).buttons;
    REQUIRE(buttons.size() == known_buttons_max);
    CHECK(buttons.front().button == numbered(2));
    CHECK(buttons[known_buttons_max - 2] == known_button{numbered(0), false});
    CHECK(buttons.back() == known_button{"one more", true});
  }
  SECTION("any series of calls gives what a plain model gives, over restarts") {
    for (const std::uint64_t seed : {1u, 2u, 3u}) {
      CAPTURE(seed);
      store.reset();
      medium = make();
      store = medium->open();
      prng random{seed};
      model m;
      for (int i = 0; i < 400; ++i) {
        one_step(random, *store, m);
        if (random.chance(30)) restart();
        if (random.chance(60)) REQUIRE(text_of(load(*store)) == text_of(m.state));
      }
      restart();
      CHECK(text_of(load(*store)) == text_of(m.state));
    }
  }
}

}  // namespace tomoshibi::firmware
