// The command line: the only file that includes CLI11 is command_line.cpp.
#pragma once

#include "relay/ctl/verb.hpp"

namespace tomoshibi::ctl {

// What the words ask for, before any of it is done. Without a verb there is nothing to do: c.out and c.note hold what is to
// be said (help, or what is wrong), and exit_code is the program's.
struct asked {
  const verb* what = nullptr;  // one of verbs()
  context c;
  int exit_code = 2;
};
asked read_command_line(int argc, const char* const* argv);

int run_command_line(int argc, char** argv);  // exit code

}  // namespace tomoshibi::ctl
