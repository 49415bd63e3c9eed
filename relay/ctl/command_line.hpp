// The command line: the only file that includes CLI11 is command_line.cpp.
#pragma once

namespace tomoshibi::ctl {

int run_command_line(int argc, char** argv);  // exit code

}  // namespace tomoshibi::ctl
