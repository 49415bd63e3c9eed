// The conductor's options on a command line, shared by tomoshibi-replay and tomoshibi-home.
#pragma once

#include "tools/replay/conductor_server.hpp"

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace tomoshibi::replay {

struct conductor_arguments {
  std::string socket;
  std::string start;
  std::string end;
  std::uint32_t speed = 0;
  std::uint32_t then_speed = 0;          // 0: stop at the end
  std::size_t expect = 1;
  bool go_on_without = false;
  std::vector<std::string> pauses;
  bool quiet = false;
};

void add_conductor_options(CLI::App& app, conductor_arguments& into);

// Times without Z are in `zone`. Fails with what is allowed. `start` may be given by the caller's record.
result<server_options> server_options_from(const conductor_arguments& arguments, std::chrono::minutes zone = {});

}  // namespace tomoshibi::replay
