// tomoshibi-replay: conducts the replay clock for daemons started with --replay-clock SOCKET.
#include "tools/replay/conductor_server.hpp"
#include "tools/replay/options.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>

int main(int argc, char** argv) {
  using namespace tomoshibi;
  using namespace tomoshibi::replay;
  CLI::App app{"Conducts the replay clock: virtual time moves only when no participant has anything left to do.\n"
               "Participants are daemons on this machine started with --replay-clock SOCKET.\n"
               "Orders on standard input: 'go [N]' leaves a pause, 'pause TIME' adds one, 'stop' ends.\n"
               "Events go to standard output as JSON, one a line; progress goes to standard error."};
  app.name("tomoshibi-replay");
  conductor_arguments arguments;
  add_conductor_options(app, arguments);
  app.add_option("SOCKET", arguments.socket, "Unix socket to listen on")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  auto options = server_options_from(arguments);
  if (!options) {
    std::fprintf(stderr, "tomoshibi-replay: %s\n", options.error().detail.c_str());
    return 2;
  }
  install_stop_signals();
  conductor_server server(*options);
  if (const auto opened = server.open(); !opened) {
    std::fprintf(stderr, "tomoshibi-replay: %s\n", opened.error().detail.c_str());
    return 1;
  }
  const auto ran = server.run(nullptr);
  return ran ? 0 : 1;
}
