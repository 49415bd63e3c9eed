// Goal: the promises hold on the daemons' own SQLite stores too, on a disk that loses and tears what was not synced at each
// power cut; and such a run can be repeated.
#include "tools/sim.d/run.hpp"
#include "tools/sim.d/sqlite_disk.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi::sim;

namespace {

report run_deep(const options& opt) {
  sqlite_disks disks;
  return run_checked(opt, disks);
}

}  // namespace

TEST_CASE("a few homes on real files, from many seeds") {
  std::uint64_t cuts = 0;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const report r = run_deep({.seed = seed, .homes = 4, .days = 8, .poll_interval_s = 900, .slow_line = true});
    INFO("repeat: tomoshibi-sim --tier deep --seed " << seed << " --homes 4 --days 8 --poll 900 --slow-line");
    for (const auto& line : r.found) UNSCOPED_INFO(line);
    CHECK(r.found.empty());
    CHECK(r.acks > 0);
    cuts += r.counts.gateway_cuts + r.counts.relay_cuts;
  }
  CHECK(cuts > 0);
}

TEST_CASE("the same seed gives the same trace on real files") {
  const options opt{.seed = 7, .homes = 3, .days = 4, .poll_interval_s = 900, .slow_line = true};
  CHECK(run_deep(opt).counts.trace_hash == run_deep(opt).counts.trace_hash);
}
