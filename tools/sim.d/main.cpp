// tomoshibi-sim: homes, gateways and a relay in virtual time from one seed. See docs/SIMULATOR.md.
#include "tools/sim.d/run.hpp"
#include "tools/sim.d/sqlite_disk.hpp"

#include <getopt.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace {

using namespace tomoshibi::sim;

constexpr const char* usage =
    "tomoshibi-sim: runs the production cores of gateways and relay in virtual time and checks what they promise.\n"
    "\n"
    "  tomoshibi-sim [--seed N] [--seeds COUNT] [--homes N] [--days N] [--poll SECONDS] [--slow-line]\n"
    "                [--tier fast|deep] [--quiet]\n"
    "\n"
    "  --seed N       the run to make (default 1); everything follows from it\n"
    "  --seeds COUNT  so many runs, from --seed upwards (default 1)\n"
    "  --homes N      1..20000 (default 100)\n"
    "  --days N       1..400 days with faults, 26 calm hours after (default 30)\n"
    "  --poll N       seconds between polls, 10..900 (default 300)\n"
    "  --slow-line    keep-alive ten times slower, for many homes in little time\n"
    "  --tier T       fast: stores in memory (default); deep: the daemons' SQLite stores on a disk that forgets and tears\n"
    "  --quiet        no progress line\n"
    "\n"
    "Exit code 0: nothing found. 1: a promise was broken; the line says how to repeat the run. 2: bad arguments.\n";

struct arguments {
  options run{.progress = true};
  std::uint64_t seeds = 1;
  bool deep = false;
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
  static const option names[] = {{"seed", 1, nullptr, 's'}, {"seeds", 1, nullptr, 'n'}, {"homes", 1, nullptr, 'h'},
                                 {"days", 1, nullptr, 'd'}, {"poll", 1, nullptr, 'p'},  {"quiet", 0, nullptr, 'q'},
                                 {"slow-line", 0, nullptr, 'l'}, {"tier", 1, nullptr, 't'},
                                 {"help", 0, nullptr, '?'}, {nullptr, 0, nullptr, 0}};
  int index = 0;
  for (int c; (c = getopt_long(argc, argv, "", names, &index)) != -1;) {
    bool ok = true;
    switch (c) {
      case 's': ok = number<std::uint64_t>(optarg, 0, UINT64_MAX, out.run.seed); break;
      case 'n': ok = number<std::uint64_t>(optarg, 1, 1'000'000, out.seeds); break;
      case 'h': ok = number<std::uint32_t>(optarg, 1, 20'000, out.run.homes); break;
      case 'd': ok = number<int>(optarg, 1, 400, out.run.days); break;
      case 'p': ok = number<std::uint32_t>(optarg, 10, 900, out.run.poll_interval_s); break;
      case 't':
        out.deep = std::strcmp(optarg, "deep") == 0;
        ok = out.deep || std::strcmp(optarg, "fast") == 0;
        break;
      case 'l': out.run.slow_line = true; break;
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

bool run_one(const options& opt, bool deep) {
  const auto start = std::chrono::steady_clock::now();
  sqlite_disks files;
  const report r = deep ? run_checked(opt, files) : run_checked(opt);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("seed %llu: %u homes, %d days: %llu events (%.2f us each), %llu slots (%llu unknown), %llu unused, %llu blind, "
              "%llu silent, %llu faulty, %llu mails, %llu Wh; cuts: %llu gateway, %llu line, %llu relay; %llu commits (%llu "
              "failed), %llu acks; trace %016llx; %s\n",
              static_cast<unsigned long long>(opt.seed), opt.homes, opt.days, static_cast<unsigned long long>(r.counts.events),
              seconds * 1e6 / static_cast<double>(r.counts.events), static_cast<unsigned long long>(r.slots_told),
              static_cast<unsigned long long>(r.unknown_told), static_cast<unsigned long long>(r.alerts),
              static_cast<unsigned long long>(r.blind), static_cast<unsigned long long>(r.silent),
              static_cast<unsigned long long>(r.faulty),
              static_cast<unsigned long long>(r.counts.mails), static_cast<unsigned long long>(r.energy_wh),
              static_cast<unsigned long long>(r.counts.gateway_cuts), static_cast<unsigned long long>(r.counts.line_cuts),
              static_cast<unsigned long long>(r.counts.relay_cuts), static_cast<unsigned long long>(r.counts.commits),
              static_cast<unsigned long long>(r.counts.commits_failed), static_cast<unsigned long long>(r.acks),
              static_cast<unsigned long long>(r.counts.trace_hash), r.found.empty() ? "ok" : "BROKEN");
  for (const auto& line : r.found) std::printf("  %s\n", line.c_str());
  if (!r.found.empty()) std::printf("  faults: %s\n", r.faults.c_str());
  if (!r.found.empty())
    std::printf("  repeat: tomoshibi-sim --seed %llu --homes %u --days %d --poll %u%s%s\n", static_cast<unsigned long long>(opt.seed),
                opt.homes, opt.days, opt.poll_interval_s, opt.slow_line ? " --slow-line" : "",
                deep ? " --tier deep" : "");
  std::fflush(stdout);
  return r.found.empty();
}

}  // namespace

int main(int argc, char** argv) {
  arguments args;
  if (const int done = parse(argc, argv, args); done != 0) return done - 1;
  bool ok = true;
  for (std::uint64_t i = 0; i < args.seeds; ++i) {
    options one = args.run;
    one.seed += i;
    ok = run_one(one, args.deep) && ok;
  }
  return ok ? 0 : 1;
}
