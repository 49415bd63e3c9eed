// Frames, keys and times that the tests of DC-09 share.
#pragma once

#include "protocol/adapters/dc09_cipher.hpp"
#include "protocol/base/prng.hpp"
#include "protocol/dc09/frame.hpp"
#include "protocol/dc09/stamp.hpp"

#include <string>

namespace tomoshibi::dc09::testing {

inline std::string framed(std::string_view text) { return '\n' + std::string(text) + '\r'; }

inline wall_at at(std::string_view stamp) { return read_stamp(stamp).value(); }

inline const cipher& key_of(std::size_t size, std::uint8_t first = 0) {
  static std::vector<std::pair<std::pair<std::size_t, std::uint8_t>, std::unique_ptr<cipher>>> made;
  for (const auto& [what, c] : made)
    if (what == std::pair{size, first}) return *c;
  bytes key(size);
  for (std::size_t i = 0; i < size; ++i) key[i] = static_cast<std::uint8_t>(first + i);
  made.emplace_back(std::pair{size, first}, make_dc09_cipher(key).value());
  return *made.back().second;
}

inline bytes random_bytes_of(prng& random, std::size_t n) {
  bytes out(n);
  for (auto& b : out) b = static_cast<std::uint8_t>(random.below(256));
  return out;
}

inline std::string text_of(prng& random, std::string_view letters, std::size_t min, std::size_t max) {
  std::string out(min + random.below(max - min + 1), '?');
  for (auto& c : out) c = letters[random.below(letters.size())];
  return out;
}

// Any frame that the writer takes.
inline frame any_frame(prng& random, bool encrypted) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  constexpr std::string_view print = "ABCxyz0129 |#^/_\"*,:-\x80\xe4";
  frame f;
  f.id = static_cast<token>(random.below(7));
  f.encrypted = encrypted && f.id != token::nak;
  const bool event = f.id == token::sia_dcs || f.id == token::adm_cid;
  f.sequence = static_cast<std::uint16_t>(event ? 1 + random.below(9999) : random.below(10000));
  if (random.chance(500)) f.receiver = text_of(random, hex, 1, 6);
  f.line = text_of(random, hex, 1, 6);
  if (event || random.chance(700)) f.account = text_of(random, hex, 3, 16);
  if (event) f.data = text_of(random, print, 1, 60);
  for (std::size_t i = 0, n = random.below(4); i < n; ++i)
    f.extensions.push_back({static_cast<char>('A' + random.below(26)), text_of(random, print, 0, 30)});
  if (f.encrypted || random.chance(600))
    f.stamp = at("00:00:00,01-01-2020") + std::chrono::seconds{random.below(1'000'000'000)};
  return f;
}

}  // namespace tomoshibi::dc09::testing
