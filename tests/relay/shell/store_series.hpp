// Random write batches of every kind for two homes, and everything a relay store can be asked, as text: so that a store on
// a failing disk can be held against the one in memory.
#pragma once

#include "relay/ports/store.hpp"

#include <string>
#include <vector>

namespace tomoshibi::relay::test {

directory series_directory();
write_batch random_batch(std::uint64_t seed, std::uint32_t number);  // number: makes each batch leave another picture
result<std::string> picture_of(store& s);  // in one order, whatever the store's

}  // namespace tomoshibi::relay::test
