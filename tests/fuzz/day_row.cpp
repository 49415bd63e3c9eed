// A row of the store that a broken disk or a hand has changed: refused, or read to a day that writes and reads the same.
#include "protocol/base/check.hpp"
#include "relay/shell/day_row.hpp"

using namespace tomoshibi::relay;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto day = decode_day({data, size});
  if (!day) return 0;
  const auto row = encode_day(*day);
  TOMO_REQUIRE(row.size() <= day_row_bytes_max);
  const auto again = decode_day(row);
  TOMO_REQUIRE(again.has_value() && *again == *day);
  return 0;
}
