// The gateway's checkpoint from a damaged file: refused or understood, never a crash, and what is understood can be run.
#include "firmware/core/checkpoint.hpp"

#include <cstdlib>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

namespace {

void check(byte_view data) {
  const auto decoded = decode_checkpoint(data);
  if (!decoded) return;
  if (encode_checkpoint(*decoded) != bytes{data.begin(), data.end()}) std::abort();
  aggregator slots;
  wire::config config;
  for (const auto& a : decoded->appliances) {
    wire::watched_appliance spec;
    spec.appliance = a.id;
    config.appliances.push_back(spec);
  }
  slots.configure(config, {});
  slots.restore(*decoded);
  aggregator_output out;
  slots.begin(start_of(decoded->open) + 16min, false, out);
  appliance_reading reading;
  reading.on = true;
  reading.energy_wh = 7;
  for (std::size_t i = 0; i < config.appliances.size(); ++i) slots.on_reading(start_of(decoded->open) + 17min, i, reading, out);
  slots.advance(start_of(decoded->open) + 40min, wire::gap_reason::gateway_off, out);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check({data, size});
  // And with a checksum that fits, so that what lies behind it is reached.
  bytes sealed{data, data + size};
  std::uint32_t hash = 0x811c9dc5u;
  for (const std::uint8_t b : sealed) hash = (hash ^ b) * 0x01000193u;
  put_u32(sealed, hash);
  check(sealed);
  return 0;
}
