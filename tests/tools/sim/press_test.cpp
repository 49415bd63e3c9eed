// Goal: every press ends as exactly one entry in the operator's list, or is shown as not delivered and goes on, from many seeds and
// under every fault; and whoever breaks that promise is found. More runs: tools/sim --presses.
#include "tools/sim.d/press/press_runs.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>

using namespace tomoshibi::sim;

TEST_CASE("presses from the default seeds, and every seed that found something; every rare thing is met") {
  CHECK(run_default_presses());
}

TEST_CASE("without faults each press is one entry, nothing is shown as undelivered, nothing is repeated or lost") {
  const press_report r = run_presses({.seed = 3, .homes = 5, .calm = true});
  for (const auto& line : r.found) UNSCOPED_INFO(line);
  CHECK(r.found.empty());
  CHECK(r.presses > 100);
  CHECK(r.drills > 0);
  CHECK(r.undelivered + r.repeats + r.unsaved + r.lines_lost + r.direct == 0);
}

TEST_CASE("the same seed gives the same trace, another seed another one") {
  const press_options opt{.seed = 5, .all_faults = true};
  CHECK(run_presses(opt).trace_hash == run_presses(opt).trace_hash);
  CHECK(run_presses({.seed = 6, .all_faults = true}).trace_hash != run_presses(opt).trace_hash);
}

// Mutations that stay: each part in turn lies, and what the lie breaks is named.
TEST_CASE("a relay that calls durable what is not, a centre that forgets, a sender that believes any answer are found") {
  const auto found = [](press_lie lie, std::string_view what) {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
      const press_report r = run_presses({.seed = seed, .all_faults = true, .lie = lie});
      if (std::ranges::any_of(r.found, [what](const std::string& line) { return line.find(what) != std::string::npos; })) return true;
    }
    return false;
  };
  CHECK(found(press_lie::relay_forgets, "shown as received, and is not"));
  CHECK(found(press_lie::guard_forgets, "a second entry"));
  CHECK(found(press_lie::ack_believed, "shown as accepted or done, and is not"));
  CHECK(found(press_lie::ack_believed, "told as accepted, and is not in the list"));
}
