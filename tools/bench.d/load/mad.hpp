// One gateway that misbehaves, with a connection of its own that it opens again whenever it is thrown out.
//   flood   valid messages as fast as the line takes them, from far in the past
//   slow    pings without end, and reads nothing
//   half    begins a frame and never ends it, over and over
#pragma once

#include "tools/bench.d/load/client_tls.hpp"
#include "tools/bench.d/load/speaker.hpp"

#include "protocol/base/net.hpp"

namespace tomoshibi::load {

// Plays the first member that `tls` knows, until SIGTERM.
int misbehave(const std::string& how, client_tls_maker& tls, speaker& says, const endpoint& server);

}  // namespace tomoshibi::load
