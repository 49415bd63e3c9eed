// Goal: the report counts every press exactly once, says lost for every one that was not acknowledged in time and for no
// other, and its numbers are those that a plain count over all rows gives.
#include "relay/core/emergency/report.hpp"

#include "protocol/base/prng.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include <algorithm>

namespace tomoshibi::relay::test {
namespace {

const wall_at noon = wall_from_ms(1'800'000'000'000);
const wall_at much_later = noon + 24h;

press_row pressed() {
  press_row p;
  p.id = press_id{1};
  p.home = home_id{1};
  p.known = noon;
  return p;
}

// Accepted by the relay's link after 40 ms and shown, as the gateway reported.
press_row delivered() {
  press_row p = pressed();
  p.stage = press_stage::accepted;
  p.path = p.reported_path = press_path::relay;
  p.accepted = noon + 35ms;
  p.reported = noon + 50ms;
  p.durable_us = 2'000;
  p.received_us = 5'000;
  p.accepted_us = 40'000;
  p.shown_us = 40'100;
  p.closed = p.reported;
  return p;
}

template <class T>
std::optional<T> maybe(prng& random, T value) {
  if (random.below(4) == 0) return std::nullopt;
  return value;
}

// Any row that the book can hold, also such as no honest gateway makes.
press_row any_row(prng& random) {
  press_row p = pressed();
  const auto moment = [&random] { return noon + millis{static_cast<std::int64_t>(random.below(70'000))}; };
  const auto us = [&random] { return static_cast<std::uint32_t>(random.below(3) == 0 ? random.below(60'000'000) : random.below(90'000)); };
  p.home = home_id{1 + static_cast<std::uint32_t>(random.below(4))};
  p.test = random.below(3) == 0;
  p.stage = random.below(3) == 0 ? press_stage::received : press_stage::accepted;
  p.path = static_cast<press_path>(random.below(3));
  p.accepted = maybe(random, moment());
  p.alarmed = random.below(6) == 0 ? std::optional{moment()} : std::nullopt;
  p.reported = maybe(random, moment());
  p.reported_path = static_cast<press_path>(random.below(3));
  p.was_undelivered = random.below(6) == 0;
  p.interrupted = random.below(6) == 0;
  p.durable_us = maybe(random, us());
  p.received_us = maybe(random, us());
  p.accepted_us = maybe(random, us());
  p.shown_us = maybe(random, us());
  p.closed = random.below(3) == 0 ? std::optional{moment()} : std::nullopt;
  return p;
}

// The delays of one hop, read off the rows in the words of delays.hpp.
std::vector<std::uint32_t> delays_of(const std::vector<press_row>& rows, press_hop hop) {
  std::vector<std::uint32_t> out;
  for (const auto& p : rows) {
    if (p.stage != press_stage::accepted || !p.reported || p.reported_path == press_path::none || p.interrupted) continue;
    std::optional<std::uint32_t> from = 0, until;
    const bool direct = p.reported_path == press_path::direct;
    if (hop == press_hop::durable) until = p.durable_us;
    if (hop == press_hop::stored) from = p.durable_us, until = p.received_us;
    if (hop == press_hop::centre && !direct) from = p.received_us, until = p.accepted_us;
    if (hop == press_hop::direct && direct) from = p.durable_us, until = p.accepted_us;
    if (hop == press_hop::shown) from = p.accepted_us, until = p.shown_us;
    if (hop == press_hop::to_ack) until = p.accepted_us;
    if (hop == press_hop::whole) until = p.shown_us;
    if (from && until && *from <= *until) out.push_back(*until - *from);
  }
  return out;
}

// The smallest measured value that at least percent of all are not above, found by trying each.
std::uint32_t percentile(const std::vector<std::uint32_t>& all, std::size_t percent) {
  std::optional<std::uint32_t> best;
  for (const auto candidate : all) {
    const auto not_above = static_cast<std::size_t>(std::ranges::count_if(all, [candidate](auto v) { return v <= candidate; }));
    if (not_above * 100 >= percent * all.size() && (!best || candidate < *best)) best = candidate;
  }
  return *best;
}

void check_tally(const press_tally& got, const std::vector<press_row>& rows, wall_at now) {
  const auto count = [&](press_outcome o) {
    return static_cast<std::size_t>(std::ranges::count_if(rows, [&](const auto& p) { return outcome_of(p, now) == o; }));
  };
  CHECK(got.presses == rows.size());
  CHECK(got.delivered == count(press_outcome::delivered));
  CHECK(got.late == count(press_outcome::late));
  CHECK(got.never == count(press_outcome::never));
  CHECK(got.open == count(press_outcome::open));
  CHECK(got.delivered + got.lost() + got.open == got.presses);
  CHECK(got.loss_bound().has_value() == (got.lost() == 0 && got.delivered >= 3));
  for (std::size_t i = 0; i < press_hops; ++i) {
    const auto all = delays_of(rows, static_cast<press_hop>(i));
    const auto& h = got.hops[i];
    CAPTURE(name_of(static_cast<press_hop>(i)));
    REQUIRE(h.n == all.size());
    if (all.empty()) {
      CHECK(h == delay_summary{});
      continue;
    }
    double sum = 0;
    for (const auto v : all) sum += v;
    CHECK(h.min_us == std::ranges::min(all));
    CHECK(h.max_us == std::ranges::max(all));
    CHECK(std::abs(h.mean_us - sum / static_cast<double>(all.size())) <= 0.5001);
    CHECK(h.p50_us == percentile(all, 50));
    CHECK(h.p95_us == percentile(all, 95));
    CHECK(h.p99_us == percentile(all, 99));
  }
}

}  // namespace

TEST_CASE("a press acknowledged in time is delivered, with a time for each hop") {
  const std::vector rows{delivered()};
  const auto r = make_report(rows, much_later);
  CHECK(r.all.real.delivered == 1);
  CHECK(r.all.real.lost() == 0);
  const auto us = [&r](press_hop hop) { return r.all.real.hops[static_cast<std::size_t>(hop)].max_us; };
  CHECK(us(press_hop::durable) == 2'000);
  CHECK(us(press_hop::stored) == 3'000);
  CHECK(us(press_hop::centre) == 35'000);
  CHECK(us(press_hop::shown) == 100);
  CHECK(us(press_hop::to_ack) == 40'000);
  CHECK(us(press_hop::whole) == 40'100);
  CHECK(r.all.real.hops[static_cast<std::size_t>(press_hop::direct)].n == 0);
}

TEST_CASE("what is lost and what is open") {
  press_row p = delivered();
  SECTION("the panel said not delivered: lost, also if the gateway's times look well") {
    p.was_undelivered = true;
    CHECK(outcome_of(p, much_later) == press_outcome::late);
  }
  SECTION("the acknowledgement after 30 s to the microsecond") {
    p.accepted_us = 29'999'999;
    CHECK(outcome_of(p, much_later) == press_outcome::delivered);
    p.accepted_us = 30'000'000;
    CHECK(outcome_of(p, much_later) == press_outcome::late);
  }
  SECTION("the gateway's clock outranks ours: its direct path was in time, we heard of it late") {
    p.alarmed = noon + 30s;
    p.accepted = noon + 10min;
    CHECK(outcome_of(p, much_later) == press_outcome::delivered);
  }
  SECTION("without the gateway's times ours decide") {
    p.interrupted = GENERATE(true, false);
    if (!p.interrupted) p.reported.reset();
    CHECK(outcome_of(p, much_later) == press_outcome::delivered);
    p.accepted = noon + 30s;
    CHECK(outcome_of(p, much_later) == press_outcome::late);
  }
  SECTION("no acknowledgement yet: open for 30 s, then lost") {
    p = pressed();
    CHECK(outcome_of(p, noon + 29'999ms) == press_outcome::open);
    CHECK(outcome_of(p, noon + 30s) == press_outcome::never);
  }
  SECTION("no acknowledgement, and told so before our 30 s were over") {
    p = pressed();
    p.was_undelivered = true;
    CHECK(outcome_of(p, noon + 1s) == press_outcome::never);
  }
  SECTION("a drill that ran out") {
    p = pressed();
    p.test = true;
    p.closed = noon + 1s;
    CHECK(outcome_of(p, noon + 2s) == press_outcome::never);
  }
}

TEST_CASE("drills are counted apart, homes each for itself, interrupted ones without times") {
  press_row drill = delivered(), other = delivered(), interrupted = delivered();
  drill.test = true;
  other.home = home_id{7};
  interrupted.interrupted = true;
  const std::vector rows{delivered(), drill, other, interrupted};
  const auto r = make_report(rows, much_later);
  CHECK(r.all.real.presses == 3);
  CHECK(r.all.drills.presses == 1);
  CHECK(r.all.real.interrupted == 1);
  CHECK(r.all.real.delivered == 3);
  CHECK(r.all.real.hops[static_cast<std::size_t>(press_hop::whole)].n == 2);
  REQUIRE(r.homes.size() == 2);
  CHECK(r.homes.at(home_id{7}).real.presses == 1);
  CHECK(r.homes.at(home_id{1}).drills.presses == 1);
}

TEST_CASE("with nothing lost the bound is three in n; with anything lost, or too few, there is none") {
  std::vector<press_row> rows(2, delivered());
  CHECK_FALSE(make_report(rows, much_later).all.real.loss_bound());
  rows.resize(1'000, delivered());
  CHECK(make_report(rows, much_later).all.real.loss_bound().value() == 0.003);
  rows.front().was_undelivered = true;
  CHECK_FALSE(make_report(rows, much_later).all.real.loss_bound());
  CHECK_FALSE(make_report({}, much_later).all.real.loss_bound());
}

TEST_CASE("any rows: the report is what a plain count gives") {
  const auto seed = GENERATE(range(1u, 60u));
  CAPTURE(seed);
  prng random{seed};
  std::vector<press_row> rows(random.below(120));
  for (auto& p : rows) p = any_row(random);
  const wall_at now = noon + millis{static_cast<std::int64_t>(random.below(80'000))};
  const auto r = make_report(rows, now);
  const auto only = [&rows](std::optional<home_id> home, bool test) {
    std::vector<press_row> out;
    for (const auto& p : rows)
      if (p.test == test && (!home || p.home == *home)) out.push_back(p);
    return out;
  };
  check_tally(r.all.real, only({}, false), now);
  check_tally(r.all.drills, only({}, true), now);
  std::size_t in_homes = 0;
  for (const auto& [home, counts] : r.homes) {
    check_tally(counts.real, only(home, false), now);
    check_tally(counts.drills, only(home, true), now);
    in_homes += counts.real.presses + counts.drills.presses;
  }
  CHECK(in_homes == rows.size());
}

TEST_CASE("the histogram counts what the report counts") {
  const auto seed = GENERATE(range(1u, 20u));
  CAPTURE(seed);
  prng random{seed};
  delay_histogram h;
  std::vector<std::uint32_t> all(1 + random.below(200));
  for (auto& v : all) h.add(v = static_cast<std::uint32_t>(random.below(random.below(2) == 0 ? 100'000 : 400'000'000)));
  const auto s = summary_of(all);
  CHECK(h.count() == s.n);
  CHECK(h.max_us() == s.max_us);
  CHECK((h.sum_us() + s.n / 2) / s.n == s.mean_us);
  for (std::size_t i = 0; i < delay_histogram::bounds_us.size(); ++i)
    CHECK(h.at_most(i) == static_cast<std::size_t>(std::ranges::count_if(
                              all, [i](auto v) { return v <= delay_histogram::bounds_us[i]; })));
}

}  // namespace tomoshibi::relay::test
