// Goal: a channel becomes the use of its device as the mapping says, with half-open holds, and nothing else.
#include "tools/home/timeline.hpp"

#include "protocol/base/prng.hpp"

#include <catch2/catch_test_macros.hpp>

#include <set>

using namespace tomoshibi;
using namespace tomoshibi::home;

namespace {

constexpr wall_at zero{};

record recorded(std::vector<std::pair<int, int>> second_and_value) {
  record out;
  out.channels = {"tv"};
  for (const auto& [second, value] : second_and_value)
    out.events.push_back({zero + std::chrono::seconds{second}, 0, static_cast<std::uint16_t>(value)});
  return out;
}

mapping mapped(channel_meaning meaning, std::uint32_t hold_s = 60) {
  mapping out;
  out.nodes.push_back({.name = "n"});
  mapped_device d;
  d.node = "n";
  d.channel = "tv";
  d.meaning = meaning;
  d.hold_s = hold_s;
  out.devices.push_back(d);
  return out;
}

std::vector<std::pair<int, bool>> brief(const std::vector<device_change>& changes) {
  std::vector<std::pair<int, bool>> out;
  for (const device_change& c : changes) out.emplace_back(static_cast<int>((c.at - zero) / 1s), c.used);
  return out;
}

using expected = std::vector<std::pair<int, bool>>;

}  // namespace

TEST_CASE("timeline: an event holds for its time, events within a hold prolong it") {
  const auto got = make_timeline(recorded({{100, 1}, {130, 1}, {190, 1}, {300, 1}, {361, 1}}), mapped(channel_meaning::event));
  REQUIRE(got);
  // 190 is exactly the end of the hold of 130: no moment lies between, so the use goes on.
  CHECK(brief(*got) == expected{{100, true}, {250, false}, {300, true}, {360, false}, {361, true}, {421, false}});
}

TEST_CASE("timeline: on and off are taken as they come, repetitions change nothing") {
  const auto got = make_timeline(recorded({{10, 0}, {20, 1}, {30, 1}, {40, 0}, {50, 0}, {60, 1}}), mapped(channel_meaning::on_off));
  REQUIRE(got);
  CHECK(brief(*got) == expected{{20, true}, {40, false}, {60, true}});
}

TEST_CASE("timeline: watts are loads, in use above zero") {
  const auto got = make_timeline(recorded({{10, 0}, {20, 700}}), mapped(channel_meaning::watts));
  REQUIRE(got);
  CHECK(brief(*got) == expected{{10, false}, {20, true}});
  CHECK((*got)[1].watts == 700u);
}

TEST_CASE("timeline: what the meaning does not allow is refused") {
  CHECK_FALSE(make_timeline(recorded({{10, 0}}), mapped(channel_meaning::event)));
  CHECK_FALSE(make_timeline(recorded({{10, 2}}), mapped(channel_meaning::on_off)));
  mapping other = mapped(channel_meaning::event);
  other.devices[0].channel = "radio";
  const auto got = make_timeline(recorded({{10, 1}}), other);
  REQUIRE_FALSE(got);
  CHECK(got.error().detail == "the record has no channel 'radio'");
}

TEST_CASE("timeline: what follows no channel is left to the hand") {
  mapping by_hand = mapped(channel_meaning::event);
  by_hand.devices[0].channel.clear();
  const auto got = make_timeline(recorded({{10, 1}}), by_hand);
  REQUIRE(got);
  CHECK(got->empty());
}

TEST_CASE("timeline: property: in use exactly in the union of the holds") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    INFO("seed " << seed);
    prng random(seed);
    std::vector<std::pair<int, int>> events;
    std::set<int> used;
    int t = 0;
    const int hold = static_cast<int>(random.between(1, 90));
    for (int i = 0; i < 60; ++i) {
      t += static_cast<int>(random.between(0, 120));
      events.emplace_back(t, 1);
      for (int s = t; s < t + hold; ++s) used.insert(s);
    }
    const auto got = make_timeline(recorded(events), mapped(channel_meaning::event, static_cast<std::uint32_t>(hold)));
    REQUIRE(got);
    const auto changes = brief(*got);
    std::set<int> played;
    for (std::size_t i = 0; i < changes.size(); i += 2) {
      REQUIRE(i + 1 < changes.size());
      REQUIRE(changes[i].second);
      REQUIRE_FALSE(changes[i + 1].second);
      for (int s = changes[i].first; s < changes[i + 1].first; ++s) played.insert(s);
    }
    CHECK(played == used);
  }
}
