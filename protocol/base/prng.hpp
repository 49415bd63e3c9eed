// Seeded pseudo-random numbers (xoshiro256**, Blackman and Vigna 2018) for jitter, simulation and tests; not for keys.
// The same seed gives the same numbers on every machine, which <random>'s distributions do not promise.
#pragma once

#include <array>
#include <cstdint>

namespace tomoshibi {

class prng {
public:
  explicit constexpr prng(std::uint64_t seed) {
    for (auto& word : s_) word = splitmix(seed);
  }
  constexpr std::uint64_t next() {
    const std::uint64_t out = rotl(s_[1] * 5, 7) * 9;
    const std::uint64_t t = s_[1] << 17;
    s_[2] ^= s_[0];
    s_[3] ^= s_[1];
    s_[1] ^= s_[2];
    s_[0] ^= s_[3];
    s_[2] ^= t;
    s_[3] = rotl(s_[3], 45);
    return out;
  }
  // Uniform enough in [0, bound); bound 0 gives 0.
  constexpr std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((__extension__ static_cast<unsigned __int128>(next()) * bound) >> 64);
  }
  constexpr std::int64_t between(std::int64_t low, std::int64_t high) {  // both ends included, low <= high
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }
  constexpr bool chance(std::uint32_t per_mille) { return below(1000) < per_mille; }
  constexpr prng fork() { return prng{next()}; }  // an independent stream for one part

private:
  static constexpr std::uint64_t rotl(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
  static constexpr std::uint64_t splitmix(std::uint64_t& x) {
    std::uint64_t z = (x += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::array<std::uint64_t, 4> s_{};
};

}  // namespace tomoshibi
