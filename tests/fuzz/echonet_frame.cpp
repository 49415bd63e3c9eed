// A datagram from any host of the home network: refused, or read to a frame that writes and reads the same.
#include "drivers/echonet/frame.hpp"
#include "protocol/base/check.hpp"

using namespace tomoshibi;
using namespace tomoshibi::drivers::echonet;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto frame = decode_frame({data, size});
  if (!frame || frame->properties.size() + frame->second.size() == 0) return 0;
  bytes once;
  encode_frame(*frame, once);
  TOMO_REQUIRE(once.size() <= size + 1);  // a cut SetGet gets the second count it never had
  const auto again = decode_frame(once);
  TOMO_REQUIRE(again.has_value() && again->complete);
  TOMO_REQUIRE(again->properties.size() == frame->properties.size());
  bytes twice;
  encode_frame(*again, twice);
  TOMO_REQUIRE(once == twice);
  return 0;
}
