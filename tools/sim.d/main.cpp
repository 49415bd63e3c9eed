// tomoshibi-sim: homes, gateways and a relay in virtual time from one seed. See docs/SIMULATOR.md.
#include "protocol/base/probe.hpp"
#include "tools/sim.d/default_runs.hpp"
#include "tools/sim.d/press/press_runs.hpp"
#include "tools/sim.d/run.hpp"
#include "tools/sim.d/sqlite_disk.hpp"

#include <getopt.h>

#include <charconv>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace tomoshibi::sim;
using tomoshibi::prng;
using seconds = std::chrono::duration<double>;

constexpr const char* usage =
    "tomoshibi-sim: runs the production cores of gateways and relay in virtual time and checks what they promise.\n"
    "\n"
    "  tomoshibi-sim                        the default set of runs; each probe must be met\n"
    "  tomoshibi-sim --seed N [--seeds COUNT] [--homes N] [--days N] [--poll SECONDS] [--slow-line] [--calm]\n"
    "  tomoshibi-sim --presses [--seed N [--seeds COUNT] [--homes N] [--hours N] [--calm] [--all-faults]]\n"
    "                                       buttons, the emergency lane and the guard centre; without --seed the default set\n"
    "  tomoshibi-sim --minutes M [--seed N] fresh runs of drawn size for so long, counted up from N or a drawn seed\n"
    "\n"
    "  --seed N       the run to make; everything follows from it\n"
    "  --seeds COUNT  so many runs, from --seed upwards (default 1)\n"
    "  --homes N      1..20000 (default 100)\n"
    "  --days N       1..400 days with faults, 26 calm hours after (default 30)\n"
    "  --hours N      1..1000, with --presses: so long with faults, half an hour without after (default 12)\n"
    "  --poll N       seconds between polls, 10..900 (default 300)\n"
    "  --slow-line    keep-alive ten times slower, for many homes in little time\n"
    "  --calm         no fault at all: to measure\n"
    "  --all-faults   every kind of fault, instead of a random subset\n"
    "  --twice        each run twice: the traces must be the same\n"
    "  --tier T       fast: stores in memory (default); deep: the daemons' SQLite stores on a disk that forgets and tears\n"
    "  --quiet        no progress line\n"
    "\n"
    "Exit code 0: nothing found. 1: a promise was broken; the line says how to repeat the run. 2: bad arguments.\n";

struct arguments {
  options run{.progress = true};
  std::uint64_t seeds = 1;
  int minutes = 0;
  bool seed_given = false;
  bool any_given = false;  // that chooses what to run
  bool twice = false;
  bool deep = false;
  bool presses = false;
  int hours = 12;
};

template <class T>
bool number(const char* text, T low, T high, T& out) {
  const char* end = text + std::strlen(text);
  T value{};
  const auto [stop, bad] = std::from_chars(text, end, value);
  if (bad != std::errc{} || stop != end || value < low || value > high) return false;
  out = value;
  return true;
}

int bad_value(const char* name, const char* value) {
  std::fprintf(stderr, "tomoshibi-sim: --%s %s: not a number in range, or not one of the words; see --help\n", name, value);
  return 2;
}

// 0 = go on, otherwise the exit code + 1.
int parse(int argc, char** argv, arguments& out) {
  static const option names[] = {{"seed", 1, nullptr, 's'},  {"seeds", 1, nullptr, 'n'},    {"homes", 1, nullptr, 'h'},
                                 {"days", 1, nullptr, 'd'},  {"poll", 1, nullptr, 'p'},     {"minutes", 1, nullptr, 'm'},
                                 {"tier", 1, nullptr, 't'},  {"slow-line", 0, nullptr, 'l'}, {"calm", 0, nullptr, 'c'},
                                 {"all-faults", 0, nullptr, 'a'},
                                 {"presses", 0, nullptr, 'b'}, {"hours", 1, nullptr, 'o'},
                                 {"twice", 0, nullptr, '2'}, {"quiet", 0, nullptr, 'q'},    {"help", 0, nullptr, '?'},
                                 {nullptr, 0, nullptr, 0}};
  int index = 0;
  for (int c; (c = getopt_long(argc, argv, "", names, &index)) != -1;) {
    bool ok = true;
    out.any_given = out.any_given || std::strchr("snhdpmcao", c) != nullptr;
    switch (c) {
      case 's':
        ok = number<std::uint64_t>(optarg, 0, UINT64_MAX, out.run.seed);
        out.seed_given = true;
        break;
      case 'n': ok = number<std::uint64_t>(optarg, 1, 1'000'000, out.seeds); break;
      case 'h': ok = number<std::uint32_t>(optarg, 1, 20'000, out.run.homes); break;
      case 'd': ok = number<int>(optarg, 1, 400, out.run.days); break;
      case 'p': ok = number<std::uint32_t>(optarg, 10, 900, out.run.poll_interval_s); break;
      case 'm': ok = number<int>(optarg, 1, 100'000, out.minutes); break;
      case 't':
        out.deep = std::strcmp(optarg, "deep") == 0;
        ok = out.deep || std::strcmp(optarg, "fast") == 0;
        break;
      case 'b': out.presses = true; break;
      case 'o': ok = number<int>(optarg, 1, 1'000, out.hours); break;
      case 'l': out.run.slow_line = true; break;
      case 'c': out.run.calm = true; break;
      case 'a': out.run.all_faults = true; break;
      case '2': out.twice = true; break;
      case 'q': out.run.progress = false; break;
      default:
        if (optopt != 0) return 2 + 1;
        std::fputs(usage, stdout);
        return 0 + 1;
    }
    if (!ok) return bad_value(names[index].name, optarg) + 1;
  }
  if (optind == argc) return 0;
  std::fprintf(stderr, "tomoshibi-sim: %s: not understood; see --help\n", argv[optind]);
  return 2 + 1;
}

std::string command_of(const options& opt, bool deep) {
  return "tools/sim --seed " + std::to_string(opt.seed) + " --homes " + std::to_string(opt.homes) + " --days " +
         std::to_string(opt.days) + " --poll " + std::to_string(opt.poll_interval_s) + (opt.slow_line ? " --slow-line" : "") +
         (opt.calm ? " --calm" : "") + (opt.all_faults ? " --all-faults" : "") + (deep ? " --tier deep" : "");
}

report run_in_tier(const options& opt, bool deep) {
  if (!deep) return run_checked(opt);
  sqlite_disks files;
  return run_checked(opt, files);
}

bool run_one(const options& opt, const arguments& args) {
  const auto start = std::chrono::steady_clock::now();
  report r = run_in_tier(opt, args.deep);
  const double took = seconds(std::chrono::steady_clock::now() - start).count();
  if (args.twice && run_in_tier(opt, args.deep).counts.trace_hash != r.counts.trace_hash)
    r.found.emplace_back("the same seed ran another way the second time");
  std::printf("seed %" PRIu64 ": %u homes, %d days: %" PRIu64 " events (%.2f us each), %" PRIu64 " datagrams (%.2f us each), %" PRIu64
              " slots (%" PRIu64 " unknown), %" PRIu64 " unused, %" PRIu64 " blind, %" PRIu64 " silent, %" PRIu64 " faulty, %" PRIu64
              " mails, %" PRIu64 " Wh; cuts: %" PRIu64 " gateway, %" PRIu64 " line, %" PRIu64 " relay; %" PRIu64 " commits (%" PRIu64
              " failed), %" PRIu64 " acks; memory: gateway %zu, relay %zu bytes a home; trace %016" PRIx64 "; %s\n",
              opt.seed, opt.homes, opt.days, r.counts.events, took * 1e6 / static_cast<double>(r.counts.events),
              r.counts.datagrams, took * 1e6 / static_cast<double>(r.counts.datagrams), r.slots_told, r.unknown_told, r.alerts,
              r.blind, r.silent, r.faulty, r.counts.mails, r.energy_wh, r.counts.gateway_cuts, r.counts.line_cuts,
              r.counts.relay_cuts, r.counts.commits, r.counts.commits_failed, r.acks, r.counts.gateway_bytes_max,
              r.counts.relay_bytes_max / opt.homes, r.counts.trace_hash,
              r.found.empty() ? "ok" : "BROKEN");
  for (const auto& line : r.found) std::printf("  %s\n", line.c_str());
  if (!r.found.empty()) std::printf("  faults: %s\n  repeat: %s\n", r.faults.c_str(), command_of(opt, args.deep).c_str());
  std::fflush(stdout);
  return r.found.empty();
}

bool all_probes_met() {
  bool all = true;
  for (std::size_t i = 0; i < tomoshibi::probe_count; ++i) {
    const auto hits = tomoshibi::probe_hits[i].load();
    std::printf("probe %-26.*s %8u%s\n", static_cast<int>(tomoshibi::probe_names[i].size()), tomoshibi::probe_names[i].data(),
                hits, hits != 0 ? "" : is_rarest(static_cast<tomoshibi::probe>(i)) ? "  not met" : "  NEVER MET");
    all = all && (hits != 0 || is_rarest(static_cast<tomoshibi::probe>(i)));
  }
  return all;
}

bool run_default_set(const arguments& args) {
  bool ok = true;
  for (const found_seed& f : found_seeds) ok = run_one(f.run, args) && ok;
  for (std::uint64_t seed = 1; seed <= default_seeds; ++seed) ok = run_one(default_run(seed), args) && ok;
  for (std::uint64_t seed = 1; seed <= rough_seeds; ++seed) ok = run_one(rough_run(seed), args) && ok;
  ok = all_probes_met() && ok;
  return run_default_presses() && ok;
}

bool run_presses_of(const arguments& args) {
  if (!args.any_given) return run_default_presses();
  constexpr std::uint32_t homes_default = 3;
  const bool homes_given = args.run.homes != options{}.homes;
  press_options one{.seed = args.run.seed, .homes = homes_given ? args.run.homes : homes_default, .hours = args.hours,
                    .all_faults = args.run.all_faults, .calm = args.run.calm};
  bool ok = true;
  for (std::uint64_t i = 0; i < args.seeds; ++i, ++one.seed) ok = tell_press_run(one, args.twice) && ok;
  return ok;
}

// Sizes are drawn too; the line of a failing run has them all.
bool run_for_minutes(const arguments& args) {
  constexpr std::uint64_t seeds_drawn_below = 1'000'000'000'000;
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes{args.minutes};
  std::uint64_t seed = args.seed_given ? args.run.seed : prng{std::random_device{}()}.below(seeds_drawn_below);
  std::vector<std::string> broken;
  std::uint64_t runs = 0;
  for (; std::chrono::steady_clock::now() < until; ++seed, ++runs) {
    prng random{seed};
    options one{.seed = seed, .homes = static_cast<std::uint32_t>(random.between(1, 8)), .days = static_cast<int>(random.between(3, 20))};
    one.poll_interval_s = random.chance(500) ? 300 : static_cast<std::uint32_t>(random.between(1, 15)) * 60;
    one.slow_line = random.chance(300);
    one.all_faults = random.chance(200);
    if (!run_one(one, args)) broken.push_back(command_of(one, args.deep));
  }
  std::printf("%" PRIu64 " runs, %zu broken\n", runs, broken.size());
  for (const auto& command : broken) std::printf("  %s\n", command.c_str());
  return broken.empty();
}

}  // namespace

int main(int argc, char** argv) {
  arguments args;
  if (const int done = parse(argc, argv, args); done != 0) return done - 1;
  if (args.presses) return run_presses_of(args) ? 0 : 1;
  if (args.minutes > 0) return run_for_minutes(args) ? 0 : 1;
  if (!args.any_given) return run_default_set(args) ? 0 : 1;
  bool ok = true;
  for (std::uint64_t i = 0; i < args.seeds; ++i) {
    options one = args.run;
    one.seed += i;
    ok = run_one(one, args) && ok;
  }
  return ok ? 0 : 1;
}
