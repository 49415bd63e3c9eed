// Goal: each event is written and read again in both formats; what has no form or no code is refused by name.
#include "tests/protocol/dc09/samples.hpp"

#include "protocol/dc09/content.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::dc09;
using namespace tomoshibi::dc09::testing;

namespace {

read_result<content> read_of(token id, std::string data) {
  return read_content({.id = id, .sequence = 1, .account = "1234", .data = std::move(data), .stamp = std::nullopt});
}
read_result<content> cid(std::string text) { return read_of(token::adm_cid, "#1234|" + text); }
read_result<content> sia(std::string text) { return read_of(token::sia_dcs, "#1234|" + text); }

}  // namespace

TEST_CASE("every event, edge, partition and zone comes back from Contact ID") {
  for (unsigned e = 1; e <= static_cast<unsigned>(last_event); ++e)
    for (const edge how : {edge::begun, edge::restored, edge::still})
      for (const std::uint16_t partition : std::initializer_list<std::uint16_t>{0, 1, 99})
        for (const std::uint16_t zone : std::initializer_list<std::uint16_t>{0, 7, 999}) {
          const signal s{static_cast<event>(e), how, partition, zone};
          const auto read = read_of(token::adm_cid, write_content(token::adm_cid, "1234", s).value());
          REQUIRE(read);
          CHECK((read->what == s.what && read->how == how && read->partition == partition && read->zone == zone));
          CHECK_FALSE(words_of(s.what).empty());
        }
}

TEST_CASE("every event comes back from SIA DCS, or one that shares its code") {
  std::size_t without = 0;
  for (unsigned e = 1; e <= static_cast<unsigned>(last_event); ++e)
    for (const edge how : {edge::begun, edge::restored, edge::still}) {
      const signal s{static_cast<event>(e), how, 3, 12};
      INFO(words_of(s.what));
      const auto written = write_content(token::sia_dcs, "1234", s);
      if (!written) {
        CHECK(written.error() == fault::no_code);
        ++without;
        continue;
      }
      const auto read = read_of(token::sia_dcs, *written);
      REQUIRE(read);
      REQUIRE(read->what);
      CHECK((read->how == how && read->partition == 3 && read->zone == 12));
      CHECK(write_content(token::sia_dcs, "1234", {*read->what, how, 3, 12}).value() == *written);
    }
  CHECK(without == 15);   // three events have none in any edge, six more never return
}

TEST_CASE("modifiers, texts and both words for restored are read") {
  CHECK(sia("Nti12:34/id77/ri2/QA001^help^").value() == content{"1234", "QA", event::personal_emergency, edge::begun, 2, 1});
  CHECK(sia("NQH1").value() == content{"1234", "QH", event::personal_emergency, edge::restored, 0, 1});
  CHECK(sia("NRP").value() == content{"1234", "RP", event::periodic_test, edge::begun, 0, 0});
  CHECK(sia("NZZ12").value() == content{"1234", "ZZ", std::nullopt, edge::begun, 0, 12});
  CHECK(cid("1999 00 000").value() == content{"1234", "999", std::nullopt, edge::begun, 0, 0});
}

TEST_CASE("what breaks the form is no event") {
  for (const char* bad : {"", "1101 01 01", "1101 01 0001", "1101  01 001", "2101 01 001", "0101 01 001", "1A01 01 001",
                          "1101 0x 001", "1101-01-001", "1101 01 001 "})
    CHECK(cid(bad).error() == fault::content);
  for (const char* bad : {"", "N", "NQ", "Xri1/QA001", "Nri1QA001", "Nrix/QA001", "Nqa001", "NQA00001", "NQA001^", "NQA001^x",
                          "NQA001^x^y", "NQAx", "Nri1/"})
    CHECK(sia(bad).error() == fault::content);
  CHECK(read_of(token::adm_cid, "1101 01 001").error() == fault::content);
  CHECK(read_of(token::adm_cid, "#12|1101 01 001").error() == fault::content);
  CHECK(read_of(token::null, "#1234|1101 01 001").error() == fault::content);
  CHECK(read_of(token::adm_cid, "#1235|1101 01 001").error() == fault::foreign_account);
}

TEST_CASE("what cannot be written is refused by name") {
  CHECK(write_content(token::ack, "1234", {}).error() == fault::token);
  CHECK(write_content(token::adm_cid, "12", {}).error() == fault::account);
  CHECK(write_content(token::adm_cid, "1234", {.partition = 100}).error() == fault::content);
  CHECK(write_content(token::adm_cid, "1234", {.zone = 1000}).error() == fault::content);
  CHECK(write_content(token::sia_dcs, "1234", {.what = event::check_in_missed}).error() == fault::no_code);
}

TEST_CASE("only tests are tests") {
  for (unsigned e = 1; e <= static_cast<unsigned>(last_event); ++e)
    CHECK(is_test(static_cast<event>(e)) == (static_cast<event>(e) == event::periodic_test || static_cast<event>(e) == event::manual_test));
}
