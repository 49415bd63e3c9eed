#include "firmware/shell/options.hpp"

#include <optional>

namespace tomoshibi::firmware {
namespace {

// "--name VALUE" and "--name=VALUE". Nothing: another option. An error: the value is missing.
std::optional<result<std::string>> value_of(std::string_view name, std::span<char* const> arguments, std::size_t& at) {
  const std::string_view here = arguments[at];
  if (!here.starts_with(name)) return std::nullopt;
  const std::string_view rest = here.substr(name.size());
  if (rest.starts_with('=') && rest.size() > 1) return std::string(rest.substr(1));
  if (!rest.empty() && rest != "=") return std::nullopt;
  if (rest == "=" || at + 1 >= arguments.size()) return fail(errc::config_invalid, std::string(name) + " needs a value");
  return std::string(arguments[++at]);
}

}  // namespace

result<gateway_options> parse_options(std::span<char* const> arguments) {
  gateway_options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view word = arguments[i];
    if (word == "--help" || word == "-h") {
      options.what = command::help;
    } else if (word == "--version") {
      options.what = command::version;
    } else if (word == "--check-config") {
      options.what = command::check_config;
    } else if (word == "--print-config") {
      options.what = command::print_config;
    } else if (auto path = value_of("--config", arguments, i)) {
      if (!*path) return std::unexpected(path->error());
      options.config_path = std::move(**path);
    } else if (auto socket = value_of("--replay-clock", arguments, i)) {
      if (!*socket) return std::unexpected(socket->error());
      options.replay_socket = std::move(**socket);
    } else {
      return fail(errc::config_invalid, "unknown argument '" + std::string(word) + "'");
    }
  }
  return options;
}

std::string_view usage_text() {
  return "tomoshibi-gateway: watches the appliances of a home and tells the relay\n"
         "\n"
         "  tomoshibi-gateway [--config FILE]     run in the foreground until SIGTERM or SIGINT;\n"
         "                                        SIGHUP reads the configuration and its certificates again\n"
         "\n"
         "  --config FILE         configuration (default /etc/tomoshibi/gateway.toml)\n"
         "  --check-config        check the configuration and every file that it names, and end\n"
         "  --print-config        print a documented sample configuration and end\n"
         "  --replay-clock SOCKET take the time from a conductor (tools/replay); refused unless every configured\n"
         "                        peer is on loopback\n"
         "  --version             print the version and end\n"
         "  --help                print this and end\n"
         "\n"
         "Exit codes: 0 ended as asked, 1 something failed while running, 2 command line or configuration is wrong.\n";
}

}  // namespace tomoshibi::firmware
