// Goal: a day that went into a row comes out of it cell by cell, a spoilt row is refused, and rows stay small.
#include "protocol/base/prng.hpp"
#include "relay/shell/day_row.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::relay;

namespace {

slot_cell off_cell() {
  slot_cell c;
  c.present = true;
  c.state = slot_state::off;
  c.readings_expected = 15;
  c.readings_got = 15;
  return c;
}

// Any cell at all, from the widest values to none.
slot_cell any_cell(prng& r) {
  slot_cell c;
  if (r.chance(200)) return c;
  c.present = true;
  c.state = static_cast<slot_state>(1 + r.below(3));
  c.time_uncertain = r.chance(100);
  c.on_seconds = static_cast<std::uint16_t>(r.chance(500) ? r.below(901) : r.below(65536));
  if (r.chance(500)) c.energy_wh = static_cast<std::uint32_t>(r.next() >> r.between(32, 63));
  c.energy_after_gap = r.chance(100);
  c.readings_expected = static_cast<std::uint16_t>(r.chance(700) ? 15 : r.below(65536));
  c.readings_got = static_cast<std::uint16_t>(r.chance(700) ? 15 : r.below(65536));
  return c;
}

day_cells any_day(prng& r) {
  day_cells day{};
  for (std::size_t i = 0; i < day.size();) {
    const slot_cell c = any_cell(r);
    for (std::size_t n = r.chance(300) ? 1 + r.below(40) : 1; n > 0 && i < day.size(); --n) day[i++] = c;
  }
  return day;
}

}  // namespace

TEST_CASE("every day survives the row") {
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    CAPTURE(seed);
    prng r(seed);
    const day_cells day = any_day(r);
    const bytes row = encode_day(day);
    REQUIRE(row.size() <= day_row_bytes_max);
    const auto back = decode_day(row);
    REQUIRE(back.has_value());
    REQUIRE(*back == day);
  }
}

TEST_CASE("the empty day and the quiet day are tiny") {
  REQUIRE(encode_day({}) == bytes{day_row_version});
  REQUIRE(decode_day(bytes{day_row_version}) == day_cells{});
  day_cells quiet{};
  quiet.fill(off_cell());
  REQUIRE(encode_day(quiet).size() == 5);
}

TEST_CASE("a cell that is absent carries nothing") {
  day_cells day{};
  day[3].on_seconds = 12;
  day[3].energy_wh = 1;
  REQUIRE(decode_day(encode_day(day)) == day_cells{});
}

TEST_CASE("format 1 is frozen") {
  day_cells day{};
  day[1] = off_cell();
  day[2] = off_cell();
  day[3] = off_cell();
  day[3].state = slot_state::on;
  day[3].on_seconds = 900;
  day[3].energy_wh = 25;
  day[4].present = true;
  day[4].state = slot_state::unknown;
  day[4].time_uncertain = true;
  day[4].readings_expected = 15;
  REQUIRE(to_hex(encode_day(day)) == "0100c10f0f012a840719470f00");
  REQUIRE(decode_day(encode_day(day)) == day);
}

TEST_CASE("a row cut short never gives values that were not written") {
  prng r(7);
  const day_cells day = any_day(r);
  const bytes row = encode_day(day);
  for (std::size_t n = 0; n < row.size(); ++n) {
    CAPTURE(n);
    const auto back = decode_day(byte_view(row).first(n));
    if (!back) {
      REQUIRE(back.error().code == errc::storage_corrupt);
      continue;
    }
    for (std::size_t i = 0; i < day.size(); ++i) REQUIRE((!(*back)[i].present || (*back)[i] == day[i]));
  }
}

TEST_CASE("spoilt rows are refused by name") {
  auto code = [](const char* hex) {
    const auto back = decode_day(*from_hex(hex));
    REQUIRE(!back.has_value());
    return back.error().code;
  };
  REQUIRE(code("") == errc::storage_corrupt);
  REQUIRE(code("00") == errc::storage_corrupt);
  REQUIRE(code("02") == errc::storage_version);
  REQUIRE(code("0104") == errc::storage_corrupt);          // absent, yet uncertain
  REQUIRE(code("018160") == errc::storage_corrupt);        // 97 cells
  REQUIRE(code("0121ffffffff7f") == errc::storage_corrupt);  // seconds beyond their type
  REQUIRE(code("01218080808080") == errc::storage_corrupt);  // a number that does not end
}
