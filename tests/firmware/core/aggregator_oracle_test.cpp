// The aggregator against a model that looks at each tick of time by itself and knows no slots, holds or sums.
#include "protocol/base/prng.hpp"
#include "tests/firmware/core/slots_support.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

namespace {

struct heard {
  std::int64_t at_ms = 0;  // since start of slot0
  appliance_reading reading;
};

struct story {
  std::int64_t tick_ms = 1000;
  int slots = 4;
  std::int64_t gap_ms = 180'000;
  std::vector<heard> readings;
};

story make_story(prng& random, std::int64_t tick_ms, int slots) {
  story s;
  s.tick_ms = tick_ms;
  s.slots = slots;
  s.gap_ms = random.between(1, 600) * 1000;
  std::int64_t at = random.between(0, 2) * slot_ms / 2;
  std::uint32_t counter = static_cast<std::uint32_t>(random.below(1000));
  bool on = random.chance(500);
  const std::int64_t end = slots * slot_ms;
  while (at < end) {
    if (random.chance(150)) on = !on;
    auto reading = state_reading(on);
    if (random.chance(100)) reading.on.reset();
    if (random.chance(800)) {
      counter += static_cast<std::uint32_t>(random.below(3));
      reading.energy_wh = counter;
      reading.meter = 1;
    }
    s.readings.push_back({at, reading});
    std::int64_t pause = random.between(0, 59'999);
    if (random.chance(100)) pause = random.between(0, 1'500'000);
    if (random.chance(100)) pause = s.gap_ms + random.between(-1, 1) * tick_ms;   // around the limit
    if (random.chance(100)) pause = slot_ms - at % slot_ms + random.between(-1, 1) * tick_ms;  // around an edge
    at += std::max<std::int64_t>(0, pause) / tick_ms * tick_ms;
  }
  return s;
}

struct expected_slot {
  slot_state state = slot_state::off;
  int on_seconds = 0;
  std::optional<std::uint32_t> energy;
};

std::vector<expected_slot> oracle(const story& s) {
  std::vector<expected_slot> out;
  std::size_t next = 0;
  std::optional<heard> last;
  std::optional<std::uint32_t> counter;
  for (int slot = 0; slot < s.slots; ++slot) {
    bool seen_on = false, blind = false;
    std::int64_t on_ms = 0;
    expected_slot e;
    for (std::int64_t t = slot * slot_ms; t < (slot + 1) * slot_ms; t += s.tick_ms) {
      while (next < s.readings.size() && s.readings[next].at_ms == t) {
        const auto& h = s.readings[next++];
        if (h.reading.on) {
          last = h;
          if (*h.reading.on) seen_on = true;
        }
        if (h.reading.energy_wh) {
          if (counter) e.energy = e.energy.value_or(0) + (*h.reading.energy_wh - *counter);
          counter = h.reading.energy_wh;
        }
      }
      const bool known = last && t - last->at_ms < s.gap_ms;
      if (!known) blind = true;
      if (known && *last->reading.on) {
        seen_on = true;
        on_ms += s.tick_ms;
      }
    }
    e.state = seen_on ? slot_state::on : blind ? slot_state::unknown : slot_state::off;
    if (seen_on) e.on_seconds = static_cast<int>(std::max<std::int64_t>(1, (on_ms + 999) / 1000));
    out.push_back(e);
  }
  return out;
}

void compare(const story& s) {
  bench b;
  b.configure(config_of({appliance(1)}, static_cast<std::uint32_t>(s.gap_ms / 1000)));
  b.begin(in_slot(0, 0));
  int wake = 1;
  const auto wake_until = [&b, &wake](std::int64_t ms) {  // the shell's timer at each slot's end
    for (; wake * slot_ms <= ms; ++wake) b.advance(in_slot(wake, 0));
  };
  for (const auto& h : s.readings) {
    wake_until(h.at_ms);
    b.read(in_slot(0, h.at_ms), h.reading);
  }
  wake_until(s.slots * slot_ms);
  const auto expected = oracle(s);
  REQUIRE(b.closed().size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    INFO("slot " << i << " gap " << s.gap_ms);
    CHECK(b.closed()[i].slot == slot0 + static_cast<int>(i));
    CHECK(b.cell(i).state == expected[i].state);
    CHECK(b.cell(i).on_seconds == expected[i].on_seconds);
    CHECK(b.cell(i).energy_wh == expected[i].energy);
  }
}

}  // namespace

TEST_CASE("slots equal those of the tick model, seconds") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    INFO("seed " << seed);
    prng random{seed};
    compare(make_story(random, 1000, 6));
  }
}

TEST_CASE("slots equal those of the tick model, milliseconds") {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    INFO("seed " << seed);
    prng random{seed};
    compare(make_story(random, 1, 3));
  }
}

// Goal: energy is conserved over restarts at any moment from the last checkpoint that was asked for.
TEST_CASE("energy is the counter's difference over restarts from checkpoints") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    INFO("seed " << seed);
    prng random{seed};
    bench b;
    const auto config = config_of({appliance(1)});
    b.configure(config);
    std::int64_t at = 0;
    b.begin(in_slot(0, at));
    aggregator_checkpoint durable = b.slots.checkpoint();
    std::uint64_t told = 0;
    std::uint32_t counter = 100;
    std::optional<std::uint32_t> first_durable, last_durable;
    for (int i = 0; i < 400; ++i) {
      at += random.between(1, 120'000);
      counter += static_cast<std::uint32_t>(random.below(3));
      b.read(in_slot(0, at), meter_reading(random.chance(300), counter));
      if (b.out.checkpoint_wanted) {
        b.out.checkpoint_wanted = false;
        durable = b.slots.checkpoint();
        for (const auto& slot : b.closed()) told += slot.appliances[0].energy_wh.value_or(0);
        b.out.records.clear();
        if (durable.appliances[0].meter) last_durable = durable.appliances[0].meter->counter_wh;
        if (!first_durable) first_durable = last_durable;
      }
      if (!random.chance(30)) continue;
      b = bench{};  // a power cut: what was not durable is forgotten
      b.configure(config);
      b.slots.restore(durable);
      at += random.between(1, 3'000'000);
      b.begin(in_slot(0, at));
    }
    if (!first_durable) continue;
    told += durable.appliances[0].account.energy_wh;
    // The first reading may have been lost with a cut; what the first durable baseline saw before itself is in `told`.
    CHECK(told >= *last_durable - *first_durable);
    CHECK(told <= *last_durable - 100u);
  }
}
