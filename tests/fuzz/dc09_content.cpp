// Goal: the inside of an encrypted frame, whoever made it, never crashes its reader; and neither does an event block. The
// first byte chooses the id.
#include "protocol/base/check.hpp"
#include "protocol/dc09/content.hpp"
#include "tests/fuzz/dc09.hpp"

using namespace tomoshibi;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  static const fuzz::glass_cipher glass;
  dc09::envelope e;
  e.head.id = static_cast<dc09::token>(data[0] % 7);
  e.head.encrypted = true;
  e.head.sequence = 1;
  e.head.account = "1234";
  std::string clear{as_text({data + 1, size - 1})};
  while (clear.size() % dc09::block_bytes != 0) clear.insert(clear.begin(), 'p');
  const std::string hex = to_hex(as_bytes(clear));
  e.rest = hex;
  const auto read = dc09::read_body(e, &glass);
  if (!read) return 0;
  TOMO_REQUIRE(read->stamp.has_value() && dc09::is_printable(read->data));
  TOMO_REQUIRE(read->extensions.size() <= dc09::extensions_max);
  (void)dc09::read_content(*read);
  return 0;
}
