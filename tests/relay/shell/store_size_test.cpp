// Goal: a year of a thousand homes fits comfortably: bytes on disk for each slot, from days that look like real ones and
// arrive as they do, one slot of every home in one commit. The figure stands in docs/BUDGETS.md.
#include "protocol/base/check.hpp"
#include "protocol/base/prng.hpp"
#include "tests/relay/shell/sqlite_store_support.hpp"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <chrono>
#include <cstdio>

namespace tomoshibi::relay::test {
namespace {

constexpr std::uint32_t homes = 40;
constexpr std::int32_t days = 7;
constexpr std::uint16_t appliances = 5;
constexpr slot_index base{1'900'032};  // a UTC midnight
constexpr double bytes_per_slot_max = 5.0;

directory many_homes() {
  directory d;
  for (std::uint32_t n = 1; n <= homes; ++n) {
    home h;
    h.id = home_id{n};
    h.name = "home " + std::to_string(n);
    d.homes[h.id] = h;
  }
  return d;
}

wire::appliance_slot used(appliance_id id, prng& r, bool on, std::uint32_t wh_low, std::uint32_t wh_high, bool meter) {
  wire::appliance_slot a{id, on ? slot_state::on : slot_state::off, 0, {}, false, 15, 15};
  if (on) a.on_seconds = static_cast<std::uint16_t>(r.chance(700) ? 900 : 1 + r.below(900));
  if (meter) a.energy_wh = static_cast<std::uint32_t>(r.between(wh_low, wh_high));
  if (r.chance(30)) a.readings_got = static_cast<std::uint16_t>(r.below(15));  // a lost answer now and then
  if (r.chance(5)) a.state = slot_state::unknown;
  return a;
}

// TV in the evening, rice cooker keeping warm, microwave at meals, refrigerator always, motion while awake.
slots_write slot_of_home(home_id home, slot_index slot, prng& r) {
  slots_write w{home, {}};
  w.slot.slot = slot;
  const std::int32_t local = (slot.value + 36) % slots_per_day;  // Japan
  const bool awake = local >= 26 && local < 88;
  const bool meal = (local >= 28 && local < 32) || (local >= 48 && local < 52) || (local >= 72 && local < 76);
  auto& out = w.slot.appliances;
  const bool tv_on = awake && r.chance(local >= 68 ? 800 : 250);
  out.push_back(used(appliance_id{1}, r, tv_on, tv_on ? 20 : 0, tv_on ? 30 : 1, true));
  out.push_back(used(appliance_id{2}, r, awake && r.chance(600), 3, 12, true));
  const bool heating = meal && r.chance(300);
  out.push_back(used(appliance_id{3}, r, heating, heating ? 20 : 0, heating ? 160 : 0, true));
  out.push_back(used(appliance_id{4}, r, true, 6, 18, true));
  out.push_back(used(appliance_id{5}, r, awake && r.chance(500), 0, 0, false));
  return w;
}

}  // namespace

TEST_CASE("bytes on disk for each slot") {
  testing::temporary_folder folder;
  const std::string path = folder.file("relay.db");
  auto s = sqlite_store::open(path);
  REQUIRE(s.has_value());
  register_directory(path, many_homes());
  prng r(2002);
  const auto began = std::chrono::steady_clock::now();
  for (std::int32_t i = 0; i < days * slots_per_day; ++i) {
    write_batch batch;
    for (std::uint32_t n = 1; n <= homes; ++n) batch.emplace_back(slot_of_home(home_id{n}, base + i, r));
    REQUIRE((*s)->commit(batch).has_value());
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  s->reset();  // the last connection moves the WAL into the file
  const auto bytes = static_cast<double>(std::filesystem::file_size(path));
  const double slots = double{homes} * days * appliances * slots_per_day;
  const double per_slot = bytes / slots;
  const double year_gb = per_slot * 1000 * 365 * appliances * slots_per_day / 1e9;
  std::printf("store: %.0f slots in %.1f MB = %.2f bytes a slot; a year of 1,000 homes: %.2f GB; %.0f slots/s committed\n",
              slots, bytes / 1e6, per_slot, year_gb, slots / took.count());
  REQUIRE(per_slot <= bytes_per_slot_max);
}

}  // namespace tomoshibi::relay::test
