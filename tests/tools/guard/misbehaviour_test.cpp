// Goal: orders are read as they are documented, refused with the word that is wrong, and worked off one after the other.
#include "tools/guard.d/core/misbehaviour.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::guard;

TEST_CASE("an order is read") {
  CHECK(parse_order("after=3 answer=silence count=2").value() == order{3, answer::silence, 2, 1000ms});
  CHECK(parse_order("answer=slow").value() == order{0, answer::slow, 1, 50ms});
  CHECK(parse_order("  delay=7  answer=delay count=0 ").value() == order{0, answer::delay, 0, 7ms});
  for (int a = 1; a <= 14; ++a)
    CHECK(parse_order("answer=" + std::string(name_of(static_cast<answer>(a)))).value().with == static_cast<answer>(a));
}

TEST_CASE("what is no order is refused with what is allowed") {
  for (const char* bad : {"", "after=3", "answer", "answer=", "answer=maybe", "answer=nak after=x", "answer=nak after=-1",
                          "answer=nak count=1000001", "answer=nak delay=600001", "answer=nak loud=1", "nak"}) {
    INFO(bad);
    const auto read = parse_order(bad);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == errc::config_invalid);
    const std::string& said = read.error().detail;
    CHECK((said.contains("answer") || said.contains("0..")));
  }
}

TEST_CASE("orders are worked off one after the other") {
  script s;
  REQUIRE(s.add(parse_order("after=2 answer=nak count=2").value()));
  REQUIRE(s.add(parse_order("answer=duh").value()));
  std::string seen;
  for (int i = 0; i < 6; ++i) seen += std::string(name_of(s.next().with)) + ' ';
  CHECK(seen == "ack ack nak nak duh ack ");
  CHECK(s.empty());
  REQUIRE(s.add(parse_order("answer=silence count=0").value()));
  for (int i = 0; i < 100; ++i) CHECK(s.next().with == answer::silence);
  s.clear();
  CHECK(s.next().with == answer::proper);
  for (std::size_t i = 0; i < orders_max; ++i) REQUIRE(s.add({}));
  CHECK(s.add({}).error().code == errc::refused);
}
