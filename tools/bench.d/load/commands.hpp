// The generator's orders, one a line on standard input; one JSON object a line answers each.
//
//   connect COUNT [window|backoff] LIMIT_S   the first COUNT are to be connected; answers when all are ready
//   hangup LIMIT_S                           every connection is cut and dialled again; answers when all are ready
//   await LIMIT_S                            answers when all that are wanted are ready
//   ingest MESSAGES LIMIT_S                  each ready client sends so many, in flight as many as a gateway has
//   steady RATE SECONDS LIMIT_S              RATE messages a second in all, from one client after the other
//   idle SECONDS                             keeps the connections alive, nothing else
//   quit
#pragma once

#include "tools/bench.d/load/swarm.hpp"

namespace tomoshibi::load {

int obey(swarm& s);  // until quit or the end of input

}  // namespace tomoshibi::load
