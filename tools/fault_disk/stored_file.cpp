#include "tools/fault_disk/stored_file.hpp"

#include <algorithm>

namespace tomoshibi::fault_disk {

tear draw_tear(std::uint64_t seed) {
  prng random{seed};
  constexpr std::uint32_t shares[] = {0, 1000, 50, 500, 500, 900, 980};
  const auto keep = shares[random.below(std::size(shares))];
  return {.keep_per_mille = keep, .half_per_mille = random.chance(500) ? 100u : 0u, .seed = random.next()};
}

void stored_file::apply(bytes& to, std::size_t at, byte_view data) {
  if (to.size() < at + data.size()) to.resize(at + data.size());  // a hole reads as zeros
  std::copy(data.begin(), data.end(), to.begin() + static_cast<std::ptrdiff_t>(at));
}

void stored_file::write(std::size_t at, byte_view data) {
  apply(seen_, at, data);
  changes_.push_back({at, bytes(data.begin(), data.end()), false});
}

void stored_file::truncate(std::size_t size) {
  seen_.resize(size);
  changes_.push_back({size, {}, true});
}

void stored_file::sync() {
  for (const change& c : changes_) {
    if (c.cut) durable_.resize(c.at);
    else apply(durable_, c.at, c.data);
  }
  changes_.clear();
}

void stored_file::tear_write(const change& c, const tear& how, prng& random) {
  std::size_t done = 0;
  while (done < c.data.size()) {
    const std::size_t at = c.at + done;
    std::size_t piece = std::min(c.data.size() - done, sector_bytes - at % sector_bytes);
    const std::size_t next = done + piece;
    bool keep = random.chance(how.keep_per_mille);
    if (!keep && random.chance(how.half_per_mille)) {
      keep = true;
      piece = static_cast<std::size_t>(random.below(piece));
    }
    if (keep) apply(durable_, at, byte_view{c.data}.subspan(done, piece));
    done = next;
  }
}

void stored_file::power_cut(const tear& how, prng& random) {
  for (const change& c : changes_) {
    if (!c.cut) tear_write(c, how, random);
    else if (random.chance(how.keep_per_mille)) durable_.resize(c.at);
  }
  changes_.clear();
  seen_ = durable_;
}

void stored_file::damage(std::size_t at, byte_view data) {
  apply(seen_, at, data);
  apply(durable_, at, data);
}

}  // namespace tomoshibi::fault_disk
