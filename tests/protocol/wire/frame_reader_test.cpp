// Goal: frames are cut the same however the bytes arrive; a bad length ends the stream for good.
#include "protocol/base/prng.hpp"
#include "protocol/wire/frame_reader.hpp"
#include "protocol/wire/messages.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::wire;

namespace {

bytes frame_of(std::size_t size, std::uint8_t fill) {
  bytes f;
  put_u16(f, static_cast<std::uint16_t>(size));
  f.insert(f.end(), size, fill);
  return f;
}

}  // namespace

TEST_CASE("any cutting of the stream gives the same frames") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    INFO("seed " << seed);
    prng random{seed};
    std::vector<bytes> sent;
    bytes stream;
    for (std::size_t i = 0, n = random.below(8); i < n; ++i) {
      const std::size_t size = random.chance(200) ? frame_payload_max : random.below(300) + 1;
      sent.emplace_back(size, static_cast<std::uint8_t>(i));
      put_bytes(stream, frame_of(size, static_cast<std::uint8_t>(i)));
    }
    std::vector<bytes> got;
    frame_reader reader;
    for (byte_view rest{stream}; !rest.empty();) {
      byte_view chunk = rest.first(std::min<std::size_t>(rest.size(), random.chance(500) ? 1 : random.below(900) + 1));
      rest = rest.subspan(chunk.size());
      for (;;) {
        const auto frame = reader.next(chunk);
        REQUIRE(frame);
        if (!*frame) break;
        got.emplace_back((*frame)->begin(), (*frame)->end());
      }
      REQUIRE(chunk.empty());
    }
    CHECK(got == sent);
  }
}

TEST_CASE("length 0 is malformed, a length over the limit is too long, and both are final") {
  for (const bytes& bad : {frame_of(0, 0), frame_of(frame_payload_max + 1, 1), bytes{0xff, 0xff}}) {
    frame_reader reader;
    const bytes good = frame_of(1, 7);
    byte_view first{good};
    REQUIRE(reader.next(first).value());
    byte_view data{bad};
    const auto answer = reader.next(data);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == (bad[0] == 0 && bad[1] == 0 ? errc::malformed : errc::too_long));
    byte_view more{good};
    CHECK_FALSE(reader.next(more));
  }
}
