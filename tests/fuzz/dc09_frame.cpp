// Goal: a byte stream, cut into DC-09 frames and read, and a text with the right CRC around it, never crash; what is read is
// written again to what reads the same; what an event says is bounded.
#include "protocol/base/check.hpp"
#include "protocol/dc09/content.hpp"
#include "protocol/dc09/splitter.hpp"
#include "tests/fuzz/dc09.hpp"

using namespace tomoshibi;

namespace {

const fuzz::glass_cipher glass;

void check_frame(std::string_view whole) {
  const auto read = dc09::read_frame(whole, &glass);
  if (!read) return;
  const bytes padding(dc09::padding_bytes + dc09::block_bytes);
  const auto written = dc09::write_frame(*read, {&glass, padding, 1});
  if (!written) {
    // Longer than what was read: an A0 or padding that had been left out.
    TOMO_REQUIRE(written.error() == dc09::fault::too_long);
    return;
  }
  const auto again = dc09::read_frame(*written, &glass);
  TOMO_REQUIRE(again.has_value());
  TOMO_REQUIRE(*again == *read);
  const auto said = dc09::read_content(*read);
  if (said) TOMO_REQUIRE(said->account == read->account && said->partition <= 9999 && said->zone <= 9999);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_frame(fuzz::dc09_frame(as_text({data, size})));
  dc09::splitter splitter;
  byte_view stream{data, size};
  std::size_t found = 0;
  while (const auto frame = splitter.next(stream)) {
    ++found;
    if (*frame) {
      TOMO_REQUIRE((*frame)->size() <= dc09::frame_bytes_max);
      check_frame(**frame);
    }
  }
  TOMO_REQUIRE(found <= size && splitter.junk() <= size);
  return 0;
}
