// One message of each kind with every field set, and random ones. The named samples are frozen as golden vectors.
#pragma once

#include "protocol/base/prng.hpp"
#include "protocol/wire/messages.hpp"

#include <utility>
#include <vector>

namespace tomoshibi::wire {

std::vector<std::pair<std::string, message>> named_samples();
message random_message(prng& random);  // within the limits, fits a frame
record random_record(prng& random);

}  // namespace tomoshibi::wire
