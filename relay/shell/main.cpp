// tomoshibi-relay: the daemon's command line.
//
// Exit codes: 0 ended in order; 1 it could not start or run (port taken, store, certificates); 2 command line or
// configuration.
#include "protocol/adapters/stderr_log.hpp"
#include "relay/shell/database_lock.hpp"
#include "relay/shell/named_files.hpp"
#include "relay/shell/relay_daemon.hpp"
#include "relay/shell/sqlite_emergency_book.hpp"
#include "relay/shell/sqlite_store.hpp"
#include "relay/shell/store_settings.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <sys/resource.h>

using namespace tomoshibi;
using namespace tomoshibi::relay;

namespace {

constexpr const char* version = TOMOSHIBI_VERSION;
constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

struct command_line {
  std::string config;
  std::string folder = "/var/lib/tomoshibi";
  std::string replay_socket;
  bool check = false;
  bool print = false;
};

int complain(int code, const std::string& text) {
  std::fprintf(stderr, "tomoshibi-relay: %s\n", text.c_str());
  return code;
}

int print_config() {
  relay_config config;
  std::fputs(relay_schema(config).sample().c_str(), stdout);
  return 0;
}

std::string configuration_path(const command_line& line, const data_folder& folder) {
  return line.config.empty() ? folder.configuration() : line.config;
}

// At a start the folder's own file may be missing: then every key has its default.
result<relay_config> configuration(const command_line& line, const data_folder& folder) {
  auto config = read_relay_config(configuration_path(line, folder), folder);
  if (!config && line.config.empty() && config.error().code == errc::not_found) return default_relay_config(folder);
  return config;
}

// A descriptor for each gateway, and some. The operator is told where the system allows fewer: the others could not get in.
constexpr rlim_t descriptors_beside = 200;
void raise_descriptor_limit(const relay_config& config, const logger& log) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max >= config.device.connections_max + descriptors_beside) return;
  log.warning("few_descriptors", {{"allowed", static_cast<std::uint64_t>(limit.rlim_max)},
                                  {"connections_max", config.device.connections_max},
                                  {"detail", "raise the limit (LimitNOFILE= in a unit) or lower connections_max"}});
}

// The same seed for every replay, so that the same record gives the same run.
std::uint64_t seed_for(bool replay) {
  if (replay) return 1;
  std::random_device device;
  return static_cast<std::uint64_t>(device()) << 32 | device();
}

// Looked at before anything is made in the folder: a database of ours would be in the way of a later init.
status certificates_there(const relay_config& config, const data_folder& folder) {
  const auto& d = config.device;
  if (auto identity = load_tls_identity({.certificate = d.certificate, .key = d.key, .ca = d.ca, .table = "device"}); identity) return {};
  else if (d.certificate != folder.relay_certificate() || std::filesystem::exists(d.certificate))
    return std::unexpected(identity.error());
  return fail(errc::config_invalid, folder.path + ": not a relay's folder (no relay.pem); make one with: tomoshibi-ctl init " +
                                        folder.path);
}

int check_config(const relay_config& config) {
  if (auto files = check_named_files(config); !files) return complain(exit_usage, files.error().detail);
  std::puts("configuration is fine");
  return 0;
}

// What an operator has to know who looks at a relay that does not start.
error with_advice(error why, const std::string& database) {
  if (why.detail.find(database) == std::string::npos) why.detail = database + ": " + why.detail;
  if (why.code == errc::storage_corrupt)
    why.detail += "; the file is left as it is; restore a backup: tomoshibi-ctl restore FILE (tomoshibi-ctl check looks closer)";
  return why;
}

// The book of presses. Its mark is kept in relay.db, so that a book that is gone is not taken for a first start.
result<std::unique_ptr<sqlite_emergency_book>> open_book(const std::string& path, sqlite_store& memory, const logger& log) {
  const auto known = memory.setting(setting_emergency_mark);
  if (!known) return std::unexpected(known.error());
  auto book = sqlite_emergency_book::open(path, {.mark = known->value_or("")});
  if (!book) return book;
  if (!(*book)->reserved()) log.warning("no_room_reserved", {{"file", path}});
  // At once: this start may yet fail, and the next one may find nothing missing.
  if ((*book)->lost() != book_loss::none) log.error("book_lost", {{"detail", words_of((*book)->lost())}});
  return book;
}

void keep_mark(const sqlite_emergency_book& book, sqlite_store& memory, const logger& log) {
  const auto known = memory.setting(setting_emergency_mark);
  if (known && *known == book.mark()) return;
  if (auto ok = memory.set_setting(setting_emergency_mark, book.mark()); !ok)
    log.warning("mark_not_kept", {{"err", name_of(ok.error().code)}, {"detail", ok.error().detail}});
}

int run(const command_line& line, const data_folder& folder, relay_config config) {
  system_clock_source machine_clock;
  stderr_log log{machine_clock, config.log};
  const logger main_log{log, "main"};
  const auto failed = [&main_log](const error& e) {
    main_log.error("cannot_run", {{"err", name_of(e.code)}, {"detail", e.detail}});
    return e.code == errc::config_invalid ? exit_usage : exit_failed;
  };
  raise_descriptor_limit(config, main_log);
  service_manager manager(service_manager_from_environment());
  auto loop = event_loop::open({.replay_socket = line.replay_socket, .name = "relay", .log = &log});
  if (!loop) return failed(loop.error());
  log.set_clock(**loop);
  const auto alone = database_lock::take(config.database);
  if (!alone) return failed(alone.error());
  auto memory = sqlite_store::open(config.database);
  if (!memory) return failed(with_advice(memory.error(), config.database));

  std::unique_ptr<sqlite_emergency_book> presses;
  if (config.emergency.enabled) {
    auto opened = open_book(folder.emergency_database(), **memory, main_log);
    if (!opened) return failed(opened.error());
    presses = std::move(*opened);
  }

  const bool had_file = std::filesystem::exists(configuration_path(line, folder));
  int code = 0;
  {
    relay_daemon daemon({.loop = **loop, .memory = **memory, .presses = presses.get(),
                         .log = log, .manager = manager, .config = std::move(config),
                         .read_config = [&line, &folder, had_file] {
                           // A file that has gone since must not silently become every default.
                           return had_file ? read_relay_config(configuration_path(line, folder), folder) : configuration(line, folder);
                         },
                         .set_log_level = [&log](log_level most) { log.set_level(most); }, .folder = folder,
                         .version = version, .seed = seed_for(!line.replay_socket.empty())});
    (*loop)->on_terminate([&daemon] { daemon.stop(); });
    (*loop)->on_hangup([&daemon] { daemon.reload(); });
    if (auto started = daemon.start(); !started) {
      code = failed(started.error());
    } else {
      if (presses) keep_mark(*presses, **memory, main_log);
      if (auto ran = (*loop)->run(); !ran) code = failed(ran.error());
    }
    // Waiting for a thread that does not end would be no end either; the system takes back what is left.
    if (daemon.stuck()) std::_Exit(exit_failed);
  }
  log.set_clock(machine_clock);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  command_line line;
  CLI::App app{"Takes what gateways report, judges it, and writes to families and the provider.", "tomoshibi-relay"};
  app.set_version_flag("--version", std::string{"tomoshibi-relay "} + version);
  app.add_option("--dir", line.folder, "The relay's folder, made by tomoshibi-ctl init")->capture_default_str();
  app.add_option("--config", line.config, "Configuration file; default: relay.toml in the folder");
  app.add_flag("--check-config", line.check, "Check the configuration and every file that it names, then end");
  app.add_flag("--print-config", line.print, "Print a configuration file with every key explained, then end");
  app.add_option("--replay-clock", line.replay_socket,
                 "Take time from the conductor at this Unix socket; only when every address is on loopback");
  app.footer("SIGTERM ends it in order; SIGHUP reads the configuration and what it names, and the directory, again.\n"
             "Exit codes: 0 ended in order, 1 could not start or run, 2 command line or configuration.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& wrong) {
    if (wrong.get_exit_code() == 0) return app.exit(wrong);  // help, version
    const auto unknown = app.remaining();
    return complain(exit_usage, (unknown.empty() ? wrong.what() : "no such option: '" + unknown.front() + "'") + "; see --help");
  }
  if (line.print) return print_config();

  const data_folder folder{line.folder};
  auto config = configuration(line, folder);
  if (!config) return complain(exit_usage, config.error().detail);
  if (auto there = certificates_there(*config, folder); !there) return complain(exit_usage, there.error().detail);
  if (line.check) return check_config(*config);
  if (!line.replay_socket.empty()) {
    if (const auto why = replay_refusal(*config); !why.empty()) {
      return complain(exit_usage, "--replay-clock is refused: " + why);
    }
  }
  return run(line, folder, std::move(*config));
}
