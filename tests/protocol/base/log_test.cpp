// Goal: no outside byte can forge a log line or a field.
#include "protocol/base/log.hpp"
#include "protocol/base/prng.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;

namespace {
std::string line_with(std::string_view value) {
  const log_field field{"err", value};
  return format_log_line(log_level::warning, "uplink", "closed", {&field, 1});
}
}  // namespace

TEST_CASE("plain values stand bare, others are quoted") {
  CHECK(line_with("net_closed") == "lvl=warn mod=uplink evt=closed err=net_closed");
  CHECK(line_with("") == "lvl=warn mod=uplink evt=closed err=\"\"");
  CHECK(line_with("a b") == "lvl=warn mod=uplink evt=closed err=\"a b\"");
  CHECK(line_with("x\nlvl=error") == "lvl=warn mod=uplink evt=closed err=\"x\\x0alvl=error\"");
  CHECK(line_with("\x1b[31m\"") == "lvl=warn mod=uplink evt=closed err=\"\\x1b[31m\\\"\"");
}

TEST_CASE("a value of any bytes stays on one line and inside its quotes") {
  constexpr std::uint64_t seed = 7;
  INFO("seed " << seed);
  prng random{seed};
  for (int round = 0; round < 2'000; ++round) {
    std::string value;
    for (std::uint64_t i = random.below(40); i > 0; --i) value += static_cast<char>(random.below(256));
    const std::string line = line_with(value);
    for (char c : line) REQUIRE((static_cast<unsigned char>(c) >= 0x20 && c != 0x7f));
    const auto start = line.find(" err=") + 5;
    if (line[start] == '"') {
      std::size_t bare_quotes = 0;
      for (std::size_t i = start; i < line.size(); ++i) {
        if (line[i] == '\\') ++i;
        else if (line[i] == '"') ++bare_quotes;
      }
      REQUIRE(bare_quotes == 2);
    }
  }
}
