// Goal: the box's own button and power as the kernel tells them: each change once, in order; a device that goes is told and
// opened again; what is not ours, or torn, changes nothing. The button's reader is given a pipe with the kernel's structures: a
// real input device and a real GPIO line are not tried here.
#include "firmware/shell/box_button.hpp"
#include "firmware/shell/power_watch.hpp"
#include "tests/support/temporary_folder.hpp"

#include <catch2/catch_test_macros.hpp>

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <linux/gpio.h>
#include <linux/input.h>
#include <unistd.h>

namespace tomoshibi::firmware {
namespace {

constexpr std::uint32_t key = KEY_F13;

struct pipe_end {
  int in = -1;         // the reader's; it closes it
  int out = -1;
  pipe_end() {
    int both[2];
    if (::pipe2(both, O_NONBLOCK | O_CLOEXEC) != 0) std::abort();
    in = both[0];
    out = both[1];
  }
  ~pipe_end() { end(); }
  pipe_end(const pipe_end&) = delete;
  pipe_end& operator=(const pipe_end&) = delete;
  void end() {
    if (out >= 0) ::close(out);
    out = -1;
  }
  template <class Event>
  void say(const Event& e) const {
    REQUIRE(::write(out, &e, sizeof e) == static_cast<ssize_t>(sizeof e));
  }
  void event(unsigned type, unsigned code, int value) const {
    input_event e{};
    e.type = static_cast<std::uint16_t>(type);
    e.code = static_cast<std::uint16_t>(code);
    e.value = value;
    say(e);
  }
};

struct fixture final : box_button::listener, power_watch::listener {
  fixture() : loop(event_loop::open({}).value()) {}
  void run_for(millis t) {
    loop_timer until(*loop);
    until.set_after(t, [this] { loop->stop(); });
    (void)loop->run();
  }
  void on_box_button(bool pressed, bool announced) override {
    said += std::string(pressed ? "pressed" : "released") + (announced ? " " : "? ");
  }
  void on_box_button_gone(bool gone) override { said += gone ? "gone " : "back "; }
  void on_power(const power_state& s) override { power.push_back(s); }
  std::string took() { return std::exchange(said, {}); }

  std::unique_ptr<event_loop> loop;
  std::string said;
  std::vector<power_state> power;
};

void put(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::trunc) << text << '\n';
}

}  // namespace

TEST_CASE("an input device: our key's changes, nothing else") {
  const pipe_end p;
  const auto source = input_button_on(p.in, key);
  CHECK_FALSE(source->state());                        // a pipe cannot say
  CHECK(source->read().value().empty());
  p.event(EV_KEY, key, 1);
  p.event(EV_SYN, SYN_REPORT, 0);
  p.event(EV_KEY, key, 2);                             // held
  p.event(EV_KEY, key + 1, 1);
  p.event(EV_REL, key, 1);
  p.event(EV_KEY, key, 7);
  p.event(EV_KEY, key, 0);
  p.event(EV_SYN, SYN_REPORT, 0);
  CHECK(source->read().value() == std::vector{true, false});
  p.event(EV_SYN, SYN_DROPPED, 0);                     // the queue ran over: what follows is not to be believed
  p.event(EV_KEY, key, 1);
  p.event(EV_SYN, SYN_REPORT, 0);
  p.event(EV_KEY, key, 1);
  CHECK(source->read().value() == std::vector{true});
}

TEST_CASE("a GPIO line: rising is pressed") {
  const pipe_end p;
  const auto source = gpio_button_on(p.in);
  for (const unsigned id : {GPIO_V2_LINE_EVENT_RISING_EDGE, GPIO_V2_LINE_EVENT_FALLING_EDGE}) {
    gpio_v2_line_event e{};
    e.id = id;
    p.say(e);
  }
  gpio_v2_line_event other{};
  other.id = 9;
  p.say(other);
  CHECK(source->read().value() == std::vector{true, false});
}

TEST_CASE("a device that ends is gone") {
  pipe_end p;
  const auto source = input_button_on(p.in, key);
  p.event(EV_KEY, key, 1);
  p.end();
  const auto last = source->read();
  REQUIRE_FALSE(last);
  CHECK(last.error().code == errc::net_closed);
}

TEST_CASE("what cannot be opened says why") {
  const auto missing = open_button({.kind = box_button_kind::input, .device = "/nonexistent/event0", .code = key});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().detail.starts_with("/nonexistent/event0: open: "));
  for (const auto kind : {box_button_kind::input, box_button_kind::gpio}) {
    const auto wrong = open_button({.kind = kind, .device = "/dev/null", .code = key});
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().code == errc::not_found);
  }
  CHECK_FALSE(open_button({}));
}

TEST_CASE("the button is followed through the loop, lost and told once") {
  fixture f;
  pipe_end p;
  int opened = 0;
  const box_button button(*f.loop, [&p, &opened]() -> result<std::unique_ptr<button_source>> {
    if (++opened > 1) return fail(errc::not_found, "unplugged");
    return input_button_on(p.in, key);
  }, null_log(), f);
  CHECK(opened == 0);                                   // not from inside
  f.run_for(5ms);
  CHECK(f.took().empty());
  p.event(EV_KEY, key, 1);
  p.event(EV_KEY, key, 0);
  f.run_for(5ms);
  CHECK(f.took() == "pressed released ");
  p.end();
  f.run_for(5ms);
  CHECK(f.took() == "gone ");
}

TEST_CASE("a device that is missing at first is opened later, and found as it is") {
  struct held final : button_source {
    pipe_end p;
    int descriptor() const override { return p.in; }
    std::optional<bool> state() override { return true; }
    result<std::vector<bool>> read() override { return std::vector<bool>{}; }
    ~held() override { ::close(p.in); }
  };
  fixture f;
  bool there = false;
  const box_button button(*f.loop, [&there]() -> result<std::unique_ptr<button_source>> {
    if (!there) return fail(errc::not_found, "not yet");
    return std::make_unique<held>();
  }, null_log(), f, 50ms);
  f.run_for(5ms);
  CHECK(f.took() == "gone ");
  there = true;
  f.run_for(80ms);
  CHECK(f.took() == "back pressed? ");
}

TEST_CASE("power supplies are read as the kernel writes them") {
  const testing::temporary_folder folder;
  const std::string at = folder.file("supplies");
  const power_state fine, no_mains{.mains_lost = true}, low{.battery_low = true};
  CHECK(read_power(folder.file("none"), {}) == fine);
  put(at + "/AC/type", "Mains");
  CHECK(read_power(at, {}) == fine);                    // it does not say whether it is online
  put(at + "/AC/online", "0");
  CHECK(read_power(at, {}) == no_mains);
  put(at + "/usb/type", "USB_C");
  put(at + "/usb/online", "1");
  CHECK(read_power(at, {}) == fine);                    // one is enough
  put(at + "/BAT/type", "Battery");
  for (const auto& [percent, before, is_low] : {std::tuple{"21", false, false}, {"20", false, true}, {"21", true, true}, {"29", true, true},
                                                {"30", true, false}, {"0", false, true}, {"full", false, false}, {"", true, false}}) {
    INFO(percent << (before ? " was low" : ""));
    put(at + "/BAT/capacity", percent);
    CHECK(read_power(at, {.battery_low = before}).battery_low == is_low);
  }
  put(at + "/BAT/capacity", "90");
  put(at + "/BAT/capacity_level", "Critical");
  CHECK(read_power(at, {}) == low);
  put(at + "/BAT/present", "0");
  CHECK(read_power(at, {}) == fine);
  put(at + "/BAT/present", "1");
  put(at + "/BAT/scope", "Device");
  CHECK(read_power(at, {}) == fine);                    // a mouse
}

TEST_CASE("mains that are gone are told when they are gone for two looks") {
  const testing::temporary_folder folder;
  put(folder.file("s/AC/type"), "Mains");
  put(folder.file("s/AC/online"), "1");
  fixture f;
  const power_watch watch(*f.loop, folder.file("s"), null_log(), f, 100ms);
  f.run_for(5ms);
  put(folder.file("s/AC/online"), "0");
  f.run_for(120ms);
  CHECK(f.power.empty());
  f.run_for(150ms);
  CHECK(f.power == std::vector{power_state{.mains_lost = true}});
}

}  // namespace tomoshibi::firmware
