// Goal: bytes from a peer, cut into frames and decoded, never crash; what decodes is stable under encoding.
#include "protocol/base/check.hpp"
#include "protocol/wire/frame_reader.hpp"
#include "protocol/wire/messages.hpp"

using namespace tomoshibi;

namespace {

void check_payload(byte_view payload) {
  const auto m = wire::decode_payload(payload);
  if (!m) return;
  const auto frame = wire::encode_frame(*m);
  if (!frame) return;  // its canonical form may be longer than a frame
  const auto again = wire::decode_payload(byte_view{*frame}.subspan(2));
  TOMO_REQUIRE(again.has_value());
  TOMO_REQUIRE(*again == *m);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  byte_view stream{data, size};
  check_payload(stream);
  wire::frame_reader reader;
  for (;;) {
    const auto frame = reader.next(stream);
    if (!frame || !*frame) return 0;
    check_payload(**frame);
  }
}
