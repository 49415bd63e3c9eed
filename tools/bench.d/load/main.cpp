// tomoshibi-load: plays thousands of gateways against a relay, or against an MQTT broker with a sink, on loopback.
#include "tools/bench.d/load/commands.hpp"
#include "tools/bench.d/load/enrol.hpp"
#include "tools/bench.d/load/mad.hpp"

#include "protocol/adapters/clock_source.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <sys/resource.h>

using namespace tomoshibi;
using namespace tomoshibi::load;

namespace {

constexpr std::size_t count_max = 25'000;
constexpr double device_sign_of_life_s = 30;  // as a gateway has it, on either connection
constexpr double lane_sign_of_life_s = 20;
constexpr rlim_t descriptors_wanted = count_max + 1'000;

struct run_options {
  std::string fleet;
  std::string ca;
  std::size_t count = 1'000;
  std::string protocol = "tomoshibi";
  std::string tls = "tomoshibi";
  std::uint16_t port = 8443;
  std::uint32_t records = 6;
  std::int32_t slots_back = 400;
  std::size_t payload = 394;
  std::size_t window = 256;
  std::string mad;
};

int complain(const error& e) {
  std::fprintf(stderr, "tomoshibi-load: %s\n", e.detail.c_str());
  return e.code == errc::config_invalid ? 2 : 1;
}

status raise_descriptor_limit(std::size_t count) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_max = std::max(limit.rlim_max, descriptors_wanted);
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {  // only root may go beyond the hard limit
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur > count + 50) return {};
  return fail(errc::config_invalid, "at most " + std::to_string(limit.rlim_cur) + " descriptors are allowed; raise it with: ulimit -n");
}

int run(const run_options& o) {
  std::signal(SIGPIPE, SIG_IGN);
  if (auto ok = raise_descriptor_limit(o.count); !ok) return complain(ok.error());
  auto fleet = read_fleet(o.fleet, o.count);
  if (!fleet) return complain(fleet.error());
  if (!o.mad.empty()) fleet->erase(fleet->begin(), fleet->end() - 1);
  const auto ca = read_text(o.ca);
  if (!ca) return complain(ca.error());
  std::vector<std::unique_ptr<speaker>> speakers;
  const slot_index first = slot_of(system_clock_source{}.wall().at) - o.slots_back;
  for (const member& m : *fleet)
    speakers.push_back(o.protocol == "mqtt"   ? make_mqtt_speaker(m.name, {.payload_bytes = o.payload})
                       : o.protocol == "lane" ? make_lane_speaker(m.name)
                                              : make_device_speaker(m.name, {.first_slot = first, .records = o.records}));
  const std::size_t message_bytes = speakers.front()->message(1).size();
  auto tls = make_client_tls({.kind = o.tls, .server_name = "127.0.0.1", .ca_pem = *ca}, *fleet);
  if (!tls) return complain(tls.error());
  if (!o.mad.empty()) return misbehave(o.mad, **tls, *speakers.front(), {"127.0.0.1", o.port});
  const double sign_of_life_s = o.protocol == "lane" ? lane_sign_of_life_s : device_sign_of_life_s;
  swarm s({.server = {"127.0.0.1", o.port}, .dial_window = o.window, .sign_of_life_s = sign_of_life_s}, **tls, std::move(speakers));
  std::printf("{\"gateways\": %zu, \"message_bytes\": %zu}\n", fleet->size(), message_bytes);
  std::fflush(stdout);
  return obey(s);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Plays thousands of gateways on loopback, for tools/bench.", "tomoshibi-load"};
  app.require_subcommand(1);
  enrol_options e;
  auto* enrolling = app.add_subcommand("enrol", "Register homes and gateways in a relay's folder, made by tomoshibi-ctl init");
  enrolling->add_option("FOLDER", e.folder, "The relay's folder")->required();
  enrolling->add_option("--count", e.count, "How many")->required()->check(CLI::Range(std::size_t{1}, count_max));
  enrolling->add_option("--fleet", e.fleet, "File to make: certificates and keys")->required();
  enrolling->add_flag("--year", e.year, "The first home gets a year of slots");
  run_options o;
  auto* running = app.add_subcommand("run", "Obey orders on standard input (tools/bench.d/load/commands.hpp)");
  running->add_option("--fleet", o.fleet, "What enrol made")->required();
  running->add_option("--ca", o.ca, "The CA of the server's certificate")->required();
  running->add_option("--count", o.count, "Play so many")->check(CLI::Range(std::size_t{1}, count_max))->capture_default_str();
  running->add_option("--port", o.port, "Of the server on 127.0.0.1")->capture_default_str();
  running->add_option("--protocol", o.protocol)->check(CLI::IsMember({"tomoshibi", "lane", "mqtt"}))->capture_default_str();
  running->add_option("--tls", o.tls)->check(CLI::IsMember({"tomoshibi", "openssl12", "openssl13"}))->capture_default_str();
  running->add_option("--records", o.records, "Slots in one message")->check(CLI::Range(1u, 40u))->capture_default_str();
  running->add_option("--slots-back", o.slots_back, "The first slot sent lies so far back")->capture_default_str();
  running->add_option("--payload", o.payload, "Bytes of an MQTT message")->check(CLI::Range(16, 4000))->capture_default_str();
  running->add_option("--window", o.window, "Connections on the way at once")->capture_default_str();
  running->add_option("--mad", o.mad, "Only the last of them, and it misbehaves until SIGTERM: flood, slow, half")
      ->check(CLI::IsMember({"flood", "slow", "half"}));
  CLI11_PARSE(app, argc, argv);
  if (!*enrolling) return run(o);
  const auto done = enrol(e);
  return done ? 0 : complain(done.error());
}
