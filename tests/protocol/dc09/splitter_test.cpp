// Goal: frames are cut the same however the bytes arrive; noise between them costs none of them; nothing grows for ever.
#include "tests/protocol/dc09/samples.hpp"

#include "protocol/dc09/splitter.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::dc09;
using namespace tomoshibi::dc09::testing;

namespace {

std::vector<std::string> cut(splitter& s, std::string_view stream) {
  std::vector<std::string> out;
  byte_view data = as_bytes(stream);
  while (const auto found = s.next(data)) out.push_back(*found ? std::string(**found) : "!" + std::string(name_of(found->error())));
  return out;
}

std::vector<std::string> cut(std::string_view stream) {
  splitter s;
  return cut(s, stream);
}

}  // namespace

TEST_CASE("any cutting of the stream gives the same frames, with noise between them") {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    INFO("seed " << seed);
    prng random{seed};
    std::vector<std::string> sent, got;
    std::string stream;
    for (std::size_t i = 0, n = random.below(8); i < n; ++i) {
      stream += text_of(random, "\r\"NAK[]0", 0, 20);
      if (random.chance(200)) stream += "\r\n";
      sent.push_back(write_frame(any_frame(random, true), {&key_of(16), random_bytes_of(random, 31)}).value());
      stream += sent.back();
    }
    splitter s;
    for (std::string_view rest = stream; !rest.empty();) {
      const std::size_t n = std::min<std::size_t>(rest.size(), random.chance(500) ? 1 : random.below(600) + 1);
      for (auto& f : cut(s, rest.substr(0, n))) got.push_back(std::move(f));
      rest.remove_prefix(n);
    }
    CHECK(got == sent);
    CHECK_FALSE(s.inside_frame());
  }
}

TEST_CASE("a frame that a new one interrupts is told, and the new one is whole") {
  CHECK(cut("\nABC\nDEF\r") == std::vector<std::string>{"!no_end", "\nDEF\r"});
  CHECK(cut("\n\nDEF\r") == std::vector<std::string>{"\nDEF\r"});
  CHECK(cut("\r\n\r\n\nDEF\r") == std::vector<std::string>{"\nDEF\r"});
}

TEST_CASE("what does not end is too long once, and the next frame is whole") {
  const std::string endless = '\n' + std::string(3 * frame_bytes_max, 'x');
  CHECK(cut(endless + "\nDEF\r") == std::vector<std::string>{"!too_long", "\nDEF\r"});
  CHECK(cut('\n' + std::string(frame_bytes_max - 2, 'x') + '\r').size() == 1);
  CHECK(cut('\n' + std::string(frame_bytes_max - 1, 'x') + '\r') == std::vector<std::string>{"!too_long"});
}

TEST_CASE("noise is counted until a whole frame comes") {
  splitter s;
  CHECK(cut(s, "\"NAK\"\r\n").empty());
  CHECK(s.junk() == 6);
  CHECK(cut(s, "\r") == std::vector<std::string>{});
  CHECK(s.junk() == 8);
  CHECK(cut(s, "\nA\r").size() == 1);
  CHECK(s.junk() == 0);
  CHECK(cut(s, std::string(junk_bytes_max, 'x')).empty());
  CHECK(s.junk() == junk_bytes_max);
}
