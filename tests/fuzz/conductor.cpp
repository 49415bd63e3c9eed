// The conductor of a replay under participants that come, go, and answer what they were not asked: at most one run is
// outstanding, virtual time never goes back nor past a pause or a wake, and names are told to be what they must be.
#include "protocol/base/check.hpp"
#include "tests/fuzz/input.hpp"
#include "tools/replay/conductor.hpp"
#include "tools/replay/iso_time.hpp"

#include <utility>

using namespace tomoshibi;
using namespace tomoshibi::replay;

namespace {

constexpr wall_at start = wall_from_ms(1'800'000'000'000);

class trial {
public:
  explicit trial(fuzz::input in) : in_(in), core_(options()) {}

  void run() {
    for (int i = 0; i < 500 && in_.left(); ++i) {
      act();
      drain();
    }
    core_.stop(out_);
    drain();
    TOMO_REQUIRE(core_.state() == phase::ended);
  }

private:
  conductor_options options() {
    conductor_options o{.start = start};
    if (in_.flag()) o.end = start + millis{in_.u32()};
    o.speed = in_.u8();
    if (in_.flag()) o.speed_after_end = in_.u8();
    o.expect = in_.below(4);
    o.wait_for_vanished = in_.flag();
    if (in_.flag()) o.pauses.push_back(start + millis{in_.u16()});
    return o;
  }
  void act() {
    const participant who{in_.below(6)};
    switch (in_.below(8)) {
      case 0: {
        const std::string name = in_.text(40);
        if (core_.on_join(who, name, out_)) {
          TOMO_REQUIRE(!name.empty() && name.size() <= 32);
          TOMO_REQUIRE(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos);
        }
        return;
      }
      case 1: core_.on_leave(who, out_); if (asked_ && asked_->to == who) asked_.reset(); return;
      case 2: return answer(who);
      case 3: case 4: if (asked_) answer(asked_->to); return;
      case 5: core_.go(in_.flag() ? std::optional<std::size_t>{in_.below(4)} : std::nullopt); return;
      case 6: (void)core_.add_pause(start + millis{static_cast<std::int64_t>(in_.number() >> 20)}); return;
      default: real_ += millis{in_.u16()}; core_.turn(real_, out_); return;
    }
  }
  void answer(participant who) {
    const bool awaited = asked_ && asked_->to == who;
    const mono_time next = in_.flag() ? never : mono_from_ms(static_cast<std::int64_t>(in_.number() >> 1));
    TOMO_REQUIRE(core_.on_ran(who, in_.u8(), next, out_) == awaited);
    if (awaited) asked_.reset();
  }
  void drain() {
    if (out_.run) {
      TOMO_REQUIRE(!asked_ && out_.run->mono >= last_ && out_.run->mono == core_.mono());
      TOMO_REQUIRE(out_.run->wall - start == out_.run->mono - replay_mono_start);
      asked_ = std::exchange(out_.run, std::nullopt);
      last_ = asked_->mono;
    }
    TOMO_REQUIRE(core_.joined() <= participants_max && core_.names().size() == core_.joined());
    TOMO_REQUIRE(core_.awaited().empty() == !asked_);
    out_.notices.clear();
  }

  fuzz::input in_;
  conductor core_;
  conductor_output out_;
  std::optional<run_order> asked_;
  mono_time last_{};
  mono_time real_{};
};

// The times and zones of its command line and its orders.
void check_texts(std::string_view text) {
  const auto at = parse_iso_time(text);
  if (at) TOMO_REQUIRE(parse_iso_time(format_iso_time(*at)) == at);
  const auto zone = parse_zone(text);
  if (zone) TOMO_REQUIRE(*zone >= std::chrono::hours{-14} && *zone <= std::chrono::hours{14});
  if (at && zone) TOMO_REQUIRE(false);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_texts(as_text({data, size}));
  trial{{data, size}}.run();
  return 0;
}
