// Goal: whatever the bytes, the reader of slots and the generated codec agree about them.
#include "protocol/base/check.hpp"
#include "protocol/wire/slot_decode.hpp"
#include "tests/protocol/wire/slot_judge.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tomoshibi::wire;
  std::optional<slot_closed> ours{std::in_place};
  if (!decode_slot({data, size}, *ours)) ours.reset();
  TOMO_REQUIRE(judge_agrees({data, size}, ours));
  return 0;
}
