// Goal: a text is cut between characters, never within one, and as late as that allows.
#include "protocol/base/utf8.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;

TEST_CASE("a text is cut between characters") {
  const std::string_view text = "aあ🏠z";            // 1, 3, 4 and 1 bytes
  const std::size_t ends[] = {0, 1, 1, 1, 4, 4, 4, 4, 8, 9, 9};
  for (std::size_t most = 0; most < std::size(ends); ++most) {
    INFO(most);
    CHECK(whole_characters(text, most) == ends[most]);
  }
  CHECK(whole_characters("", 0) == 0);
  CHECK(whole_characters("\x80\x80\x80", 2) == 0);      // no character begins there
}
