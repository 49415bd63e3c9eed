// tomoshibi-gateway: the box in the home. Runs in the foreground; its supervisor starts it again when it ends with 1.
#include "firmware/shell/daemon.hpp"
#include "firmware/shell/options.hpp"
#include "firmware/shell/version.hpp"
#include "protocol/adapters/stderr_log.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sys/stat.h>

namespace tomoshibi::firmware {
namespace {

enum exit_code : int { exit_done = 0, exit_failed = 1, exit_usage = 2 };

void print(std::FILE* to, std::string_view text) { std::fwrite(text.data(), 1, text.size(), to); }

int refuse(const std::string& why, exit_code code) {
  print(stderr, "tomoshibi-gateway: " + why + "\n");
  return code;
}

// One level only: a whole missing path is more likely a mistake in the configuration.
status make_state_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return {};
  struct stat found{};
  const int why = errno;
  if (why == EEXIST && ::stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode)) return {};
  return fail(errc::storage_io, "gateway.state_folder " + path + ": " + std::strerror(why == EEXIST ? ENOTDIR : why));
}

int run(const gateway_options& options, const gateway_config& config, const gateway_identity& identity) {
  const system_clock_source before_the_loop;
  service_manager manager(service_manager_from_environment());
  stderr_log log(before_the_loop, config.log);
  if (auto made = make_state_folder(config.state_folder); !made) return refuse(made.error().detail, exit_failed);
  auto loop = event_loop::open({.replay_socket = options.replay_socket, .name = "gateway", .log = &log});
  if (!loop) return refuse(loop.error().detail, exit_failed);
  if ((*loop)->replayed()) log.set_clock(**loop);
  logger(log, "gateway").info("start", {{"version", version()}, {"gw", identity.id.text()}, {"relays", config.relays.size()}});
  auto gateway = daemon::make({.loop = **loop, .log = log, .manager = manager, .config = config, .identity = identity,
                               .read_config = [path = options.config_path] { return read_gateway_config(path); },
                               .set_log_level = [&log](log_level most) { log.set_level(most); }});
  if (!gateway) return refuse(gateway.error().detail, exit_failed);
  daemon& running = **gateway;
  (*loop)->on_terminate([&running] { running.stop(); });
  (*loop)->on_hangup([&running] { running.reload(); });
  // Under a conductor there is no time before its first word: the start belongs into the first turn.
  (*loop)->post([&running] { running.start(); });
  const status ended = (*loop)->run();
  if (!ended) logger(log, "gateway").warning("loop_ended", {{"err", ended.error().detail}});
  const bool failed = running.failed();
  gateway->reset();
  log.set_clock(before_the_loop);
  logger(log, "gateway").info("end");
  return failed ? exit_failed : exit_done;
}

int run_or_check(const gateway_options& options) {
  auto config = read_gateway_config(options.config_path);
  if (!config) return refuse(config.error().detail, exit_usage);
  if (!options.replay_socket.empty()) {
    if (const auto why = replay_refusal(*config); !why.empty()) return refuse("--replay-clock refused: " + why, exit_usage);
  }
  auto identity = load_identity(*config);
  if (!identity) return refuse(identity.error().detail, exit_usage);
  if (auto guard = check_direct_files(config->direct); !guard) return refuse(guard.error().detail, exit_usage);
  if (options.what == command::run) return run(options, *config, *identity);
  print(stdout, options.config_path + ": good; gateway " + identity->id.text() + "\n");
  return exit_done;
}

int main_of(std::span<char* const> arguments) {
  auto options = parse_options(arguments);
  if (!options) return refuse(options.error().detail + "; see --help", exit_usage);
  switch (options->what) {
    case command::help: print(stdout, usage_text()); return exit_done;
    case command::version: print(stdout, "tomoshibi-gateway " + std::string(version()) + "\n"); return exit_done;
    case command::print_config: print(stdout, sample_gateway_config()); return exit_done;
    case command::check_config:
    case command::run: break;
  }
  return run_or_check(*options);
}

}  // namespace
}  // namespace tomoshibi::firmware

int main(int count, char** arguments) {
  return tomoshibi::firmware::main_of({arguments + 1, static_cast<std::size_t>(count > 0 ? count - 1 : 0)});
}
