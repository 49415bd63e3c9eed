#include "tools/sim.d/press/press_runs.hpp"

#include <cinttypes>
#include <cstdio>

namespace tomoshibi::sim {
namespace {

press_report tell(const press_options& opt, bool twice) {
  press_report r = run_presses(opt);
  if (twice && run_presses(opt).trace_hash != r.trace_hash) r.found.emplace_back("the same seed ran another way the second time");
  std::printf("presses, seed %" PRIu64 ": %u homes, %d hours: %" PRIu64 " events, %" PRIu64 " presses (%" PRIu64 " drills), %" PRIu64
              " entries (%" PRIu64 " repeats), %" PRIu64 " shown as undelivered, %" PRIu64 " direct first, %" PRIu64
              " not saved, %" PRIu64 " frames swallowed, %" PRIu64 " mails, %" PRIu64 " lines lost; cuts: %" PRIu64 " box, %" PRIu64
              " relay, %" PRIu64 " centre; trace %016" PRIx64 "; %s\n",
              opt.seed, opt.homes, opt.hours, r.events, r.presses, r.drills, r.entries, r.repeats, r.undelivered, r.direct, r.unsaved,
              r.swallowed, r.mails, r.lines_lost, r.box_cuts, r.relay_cuts, r.guard_cuts, r.trace_hash, r.found.empty() ? "ok" : "BROKEN");
  for (const auto& line : r.found) std::printf("  %s\n", line.c_str());
  if (!r.found.empty())
    std::printf("  faults: %s\n  repeat: tools/sim --presses --seed %" PRIu64 " --homes %u --hours %d%s%s\n", r.faults.c_str(), opt.seed,
                opt.homes, opt.hours, opt.calm ? " --calm" : "", opt.all_faults ? " --all-faults" : "");
  std::fflush(stdout);
  return r;
}

}  // namespace

bool tell_press_run(const press_options& opt, bool twice) { return tell(opt, twice).found.empty(); }

bool run_default_presses() {
  press_report all;
  bool ok = true;
  const auto one = [&all, &ok](const press_options& opt) {
    const press_report r = tell(opt, false);
    ok = ok && r.found.empty();
    all.undelivered += r.undelivered, all.direct += r.direct, all.repeats += r.repeats, all.unsaved += r.unsaved;
    all.swallowed += r.swallowed, all.lines_lost += r.lines_lost, all.drills += r.drills;
  };
  for (const found_press_seed& f : found_press_seeds) one(f.run);
  for (std::uint64_t seed = 1; seed <= press_seeds; ++seed) one({.seed = seed});
  for (std::uint64_t seed = 1; seed <= press_rough_seeds; ++seed) one({.seed = seed, .all_faults = true});
  for (const auto& [name, count] : {std::pair{"shown as undelivered", all.undelivered}, {"direct path first", all.direct},
                                    {"repeated at the centre", all.repeats}, {"not saved and lost", all.unsaved},
                                    {"frame swallowed, old answer", all.swallowed}, {"line lost", all.lines_lost}, {"drill", all.drills}}) {
    std::printf("presses: %-30s %8" PRIu64 "%s\n", name, count, count == 0 ? "  NEVER MET" : "");
    ok = ok && count != 0;
  }
  return ok;
}

}  // namespace tomoshibi::sim
