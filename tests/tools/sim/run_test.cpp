// Goal: the production cores keep their promises from many seeds with every kind of fault, every rare branch on the list is
// met, and the same seed makes the same run. Longer and other runs: tools/sim.
#include "protocol/base/probe.hpp"
#include "tools/sim.d/default_runs.hpp"
#include "tools/sim.d/run.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <string_view>

using namespace tomoshibi::sim;

namespace {

report checked(const options& opt) {
  report r = run_checked(opt);
  INFO("repeat: tools/sim --seed " << opt.seed << " --homes " << opt.homes << " --days " << opt.days << " --poll "
                                   << opt.poll_interval_s << (opt.slow_line ? " --slow-line" : "")
                                   << (opt.all_faults ? " --all-faults" : ""));
  for (const auto& line : r.found) UNSCOPED_INFO(line);
  CHECK(r.found.empty());
  return r;
}

}  // namespace

TEST_CASE("small runs from the default seeds, and every seed that found something; every probe is met") {
  for (const found_seed& f : found_seeds) {
    INFO(f.what);
    checked(f.run);
  }
  for (std::uint64_t seed = 1; seed <= default_seeds; ++seed) checked(default_run(seed));
  for (std::uint64_t seed = 1; seed <= rough_seeds; ++seed) checked(rough_run(seed));
  for (std::size_t i = 0; i < tomoshibi::probe_count; ++i) {
    if (is_rarest(static_cast<tomoshibi::probe>(i))) continue;
    INFO("probe " << tomoshibi::probe_names[i] << " was never met");
    CHECK(tomoshibi::probe_hits[i].load() > 0);
  }
}

TEST_CASE("dozens of homes for weeks") {
  const report r = checked({.seed = 1, .homes = 60, .days = 20, .poll_interval_s = 900, .slow_line = true});
  // The run must have met what it is made for.
  CHECK(r.alerts > 0);
  CHECK(r.counts.mails > 0);
  CHECK(r.counts.gateway_cuts > 0);
  CHECK(r.counts.line_cuts > 0);
  CHECK(r.counts.relay_cuts > 0);
  CHECK(r.unknown_told > 0);
  CHECK(r.energy_wh > 0);
}

TEST_CASE("without faults nothing is unknown beyond the first minutes, and nobody is told that we cannot see") {
  const report r = checked({.seed = 3, .homes = 4, .days = 6, .calm = true});
  CHECK(r.blind == 0);
  CHECK(r.silent == 0);
  CHECK(r.faulty == 0);
  CHECK(r.unknown_told <= 4 * 4);  // each appliance's first slot
  CHECK(r.counts.sessions >= 4 * 5);  // one that has stood for a day is begun again
  CHECK(r.counts.gateway_bytes_max > 1'000);
  CHECK(r.counts.relay_bytes_max > 1'000);
}

// 64 bytes at each event of the one or the other are not given back: the bounds of memory must find that within days.
TEST_CASE("memory that is not given back is found, and at whose side") {
  options opt{.seed = 3, .homes = 3, .days = 6, .poll_interval_s = 900, .slow_line = true, .calm = true};
  const auto told_of = [](const report& r, std::string_view what) {
    return std::ranges::any_of(r.found, [&](const std::string& line) { return line.starts_with(what); });
  };
  opt.leaks = options::leak::gateways;
  const report gateways = run_checked(opt);
  CHECK(told_of(gateways, "bound: memory of home 2"));
  CHECK_FALSE(told_of(gateways, "bound: memory of the relay"));
  opt.leaks = options::leak::relay;
  const report relay = run_checked(opt);
  CHECK(told_of(relay, "bound: memory of the relay"));
  CHECK_FALSE(told_of(relay, "bound: memory of home"));
}

TEST_CASE("the same seed gives the same trace, another seed another one") {
  const options opt{.seed = 7, .homes = 3, .days = 5};
  const report a = run_checked(opt);
  const report b = run_checked(opt);
  CHECK(a.counts.trace_hash == b.counts.trace_hash);
  options other = opt;
  other.seed = 8;
  CHECK(run_checked(other).counts.trace_hash != a.counts.trace_hash);
}
