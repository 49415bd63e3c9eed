#include "relay/ctl/command_line.hpp"

int main(int argc, char** argv) { return tomoshibi::ctl::run_command_line(argc, argv); }
