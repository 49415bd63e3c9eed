// The bytes of one file twice: as programs see them, and as they are on the medium. Between the two lie the changes since the
// last sync, which a power cut keeps, loses or tears.
#pragma once

#include "protocol/base/bytes.hpp"
#include "protocol/base/prng.hpp"

#include <cstdint>
#include <vector>

namespace tomoshibi::fault_disk {

inline constexpr std::size_t sector_bytes = 512;  // written whole or, rarely, in part; sectors in any order

// What becomes of each sector that was not synced.
struct tear {
  std::uint32_t keep_per_mille = 0;
  std::uint32_t half_per_mille = 0;  // of those not kept: the first bytes are new, the rest is old
  std::uint64_t seed = 0;            // which ones
};
inline constexpr tear keep_all{.keep_per_mille = 1000};
inline constexpr tear lose_all{.keep_per_mille = 0};
tear draw_tear(std::uint64_t seed);  // nothing, everything, or a share of it

class stored_file {
public:
  const bytes& seen() const { return seen_; }
  void write(std::size_t at, byte_view data);
  void truncate(std::size_t size);
  void sync();
  // A sync that failed: Linux takes the pages for clean, so that no later sync writes them out.
  void forget_unsynced() { changes_.clear(); }
  void power_cut(const tear& how, prng& random);
  void damage(std::size_t at, byte_view data);  // on the medium and in sight

private:
  struct change {
    std::size_t at;
    bytes data;
    bool cut;  // the file ends at `at`
  };
  static void apply(bytes& to, std::size_t at, byte_view data);
  void tear_write(const change& c, const tear& how, prng& random);

  bytes seen_;
  bytes durable_;
  std::vector<change> changes_;
};

}  // namespace tomoshibi::fault_disk
