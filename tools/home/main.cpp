// tomoshibi-home: plays a recorded home as ECHONET Lite devices over real UDP.
#include "tools/home/player.hpp"
#include "tools/home/record.hpp"
#include "tools/replay/iso_time.hpp"
#include "tools/replay/options.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>

namespace {

using namespace tomoshibi;
using namespace tomoshibi::home;

constexpr int exit_usage = 2;  // wrong options or input

struct arguments {
  std::string record_path;
  std::string map_path;
  std::string faults_path;
  std::string home;
  std::string zone = "+00:00";
  std::uint64_t seed = 1;
  std::string replay_socket;
  std::string control;
  std::string told;
  bool check = false;
  bool sample = false;
  replay::conductor_arguments conductor;
};

void add_options(CLI::App& app, arguments& a) {
  app.add_option("--record", a.record_path, "CSV with the columns time,channel,value and optionally home");
  app.add_option("--map", a.map_path, "TOML: which device each channel becomes (--sample-map shows one)");
  app.add_option("--faults", a.faults_path, "CSV at,until,node,fault,param: what goes wrong when");
  app.add_option("--home", a.home, "Which home of the record, where it holds several");
  app.add_option("--zone", a.zone, "Zone of times without Z, like +09:00")->capture_default_str();
  app.add_option("--control", a.control, "Unix socket at which this home is told of buttons while it runs");
  app.add_option("--tell", a.told, "Tell the home that runs with this --control, and end: \"press NODE EOJ [hold=SECONDS]\n"
                                   "[notice=inf|infc|silent]\" or \"release NODE EOJ [notice=...]\"");
  app.add_option("--seed", a.seed, "For faults that happen by chance")->capture_default_str();
  app.add_flag("--check", a.check, "Only check the input, say what would be played, and end");
  app.add_flag("--sample-map", a.sample, "Print a mapping file with every key explained, and end");
  auto* conduct = app.add_option("--conduct", a.conductor.socket,
                                 "Conduct the replay clock in this process, for daemons that join this Unix socket");
  app.add_option("--replay-clock", a.replay_socket, "Take time from the conductor at this Unix socket")
      ->excludes(conduct);
  replay::add_conductor_options(app, a.conductor);
  app.footer("\nWithout --conduct and --replay-clock the machine's clock is used: --speed 0 or 1 is real time, 60 plays a\n"
             "minute each second; --start is the moment of the record that is now (default: the day of its first event).\n"
             "With --conduct, --expect counts this home too. Exit code 2: wrong options or input.\n\n"
             "Faults:\n" + fault_names());
}

int wrong_input(const std::string& text) {
  std::fprintf(stderr, "tomoshibi-home: %s\n", text.c_str());
  return exit_usage;
}

result<player_options> load(const arguments& a, std::chrono::minutes zone) {
  if (a.record_path.empty() || a.map_path.empty())
    return fail(errc::config_invalid, "--record and --map are needed (see --help)");
  player_options out;
  auto map = read_mapping(a.map_path);
  if (!map) return std::unexpected(map.error());
  out.map = std::move(*map);
  const auto events = read_record(a.record_path, {.zone = zone, .home = a.home});
  if (!events) return std::unexpected(events.error());
  auto timeline = make_timeline(*events, out.map);
  if (!timeline) return fail(errc::config_invalid, a.map_path + ": " + timeline.error().detail);
  out.timeline = std::move(*timeline);
  if (!a.faults_path.empty()) {
    std::vector<std::string> nodes;
    for (const mapped_node& n : out.map.nodes) nodes.push_back(n.name);
    const auto text = read_text_file(a.faults_path, fault_script_bytes_max);
    if (!text) return std::unexpected(text.error());
    auto faults = parse_fault_script(*text, a.faults_path, zone, nodes);
    if (!faults) return std::unexpected(faults.error());
    out.faults = std::move(*faults);
  }
  const auto first_day = std::chrono::floor<std::chrono::days>(events->events.front().at + zone);
  out.start = wall_at{first_day} - zone;
  out.seed = a.seed;
  out.control = a.control;
  return out;
}

void say_what_is_played(const player_options& p) {
  std::printf("{\"event\":\"input\",\"nodes\":%zu,\"devices\":%zu,\"changes\":%zu,\"faults\":%zu,\"first\":\"%s\","
              "\"last\":\"%s\"}\n",
              p.map.nodes.size(), p.map.devices.size(), p.timeline.size(), p.faults.size(),
              p.timeline.empty() ? "" : replay::format_iso_time(p.timeline.front().at).c_str(),
              p.timeline.empty() ? "" : replay::format_iso_time(p.timeline.back().at).c_str());
  std::fflush(stdout);
}

status play(arguments& a, player_options options, const replay::server_options& clock) {
  replay::install_stop_signals();
  options.start = clock.conductor.start;
  player home(std::move(options));
  if (auto opened = home.open(); !opened) return opened;
  status done;
  if (!a.conductor.socket.empty()) {
    replay::conductor_server server(clock);
    if (auto opened = server.open(); !opened) return opened;
    done = server.run(&home);
  } else if (!a.replay_socket.empty()) {
    done = home.run_by_conductor(a.replay_socket);
  } else {
    done = home.run_by_machine(std::max(a.conductor.speed, 1u), clock.conductor.end, clock.progress);
  }
  std::printf("%s\n", home.summary().c_str());
  return done;
}

}  // namespace

int main(int argc, char** argv) {
  arguments a;
  CLI::App app{"Plays a recorded home as ECHONET Lite devices over UDP port 3610, each node on its own address."};
  app.name("tomoshibi-home");
  add_options(app, a);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : exit_usage;
  }
  if (a.sample) {
    std::fputs(mapping_sample().c_str(), stdout);
    return 0;
  }
  if (!a.told.empty()) {
    if (a.control.empty()) return wrong_input("--tell needs --control");
    const auto done = tell_home(a.control, a.told);
    if (!done) std::fprintf(stderr, "tomoshibi-home: %s\n", done.error().detail.c_str());
    return done ? 0 : 1;
  }
  const auto zone = replay::parse_zone(a.zone);
  if (!zone) return wrong_input("--zone '" + a.zone + "': allowed is like +09:00 or -03:30, at most 14 hours");
  auto options = load(a, *zone);
  if (!options) return wrong_input(options.error().detail);
  if (a.conductor.start.empty()) a.conductor.start = replay::format_iso_time(options->start);
  const auto clock = replay::server_options_from(a.conductor, *zone);
  if (!clock) return wrong_input(clock.error().detail);
  say_what_is_played(*options);
  if (a.check) return 0;
  if (const auto done = play(a, std::move(*options), *clock); !done) {
    std::fprintf(stderr, "tomoshibi-home: %s\n", done.error().detail.c_str());
    return 1;
  }
  return 0;
}
