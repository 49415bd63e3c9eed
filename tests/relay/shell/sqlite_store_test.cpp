// Goal: what the port cannot show: files of other versions and broken rows are met with a clear answer, homes that were
// erased stay erased, and the reactor reads while a worker commits.
#include "protocol/base/check.hpp"
#include "relay/shell/store_directory.hpp"
#include "relay/shell/store_schema.hpp"
#include "tests/relay/shell/sqlite_store_support.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <filesystem>
#include <sys/stat.h>
#include <thread>

namespace tomoshibi::relay::test {
namespace {

constexpr slot_index base{1'900'000};

directory one_home() {
  directory d;
  home h;
  h.id = home_id{1};
  h.name = "home";
  d.homes[h.id] = h;
  const auto box = *gateway_id::parse("box-1");
  d.gateways[box] = {box, h.id, false, ""};
  return d;
}

write slot_of_everyone(slot_index slot, slot_state state) {
  slots_write w{home_id{1}, {}};
  w.slot.slot = slot;
  for (std::uint16_t a = 1; a <= 3; ++a) w.slot.appliances.push_back({appliance_id{a}, state, 0, {}, false, 15, 15});
  return w;
}

sqlite_db raw(const std::string& path) {
  auto db = sqlite_db::open(path, {.create = false});
  REQUIRE(db.has_value());
  return std::move(*db);
}

std::int64_t count(const std::string& path, std::string_view sql) {
  auto db = raw(path);
  const auto n = db.query_int(sql);
  REQUIRE(n.has_value());
  return *n;
}

// Slots that are there, counting from base.
std::size_t present(sqlite_store& s, appliance_id a) {
  std::size_t n = 0;
  for (std::int32_t day = static_cast<std::int32_t>(day_of(base)); day <= static_cast<std::int32_t>(day_of(base + 59)); ++day) {
    const auto cells = s.read_day(home_id{1}, a, utc_day{day});
    TOMO_REQUIRE(cells.has_value());
    for (const auto& c : *cells) n += c.present;
  }
  return n;
}

}  // namespace

TEST_CASE("a file of a newer program is refused, and so is another product's") {
  testing::temporary_folder folder;
  const std::string path = folder.file("relay.db");
  REQUIRE(sqlite_store::open(path).has_value());
  const auto code = [&path](const char* sql) {
    REQUIRE(raw(path).exec(sql).has_value());
    const auto again = sqlite_store::open(path);
    REQUIRE(!again.has_value());
    return again.error().code;
  };
  REQUIRE(code("PRAGMA user_version = 1000") == errc::storage_version);
  const auto other = code("PRAGMA user_version = 1; PRAGMA application_id = 7");
  REQUIRE((other == errc::storage_corrupt || other == errc::refused || other == errc::storage_version));
}

TEST_CASE("only a program that may create a database does") {
  testing::temporary_folder folder;
  const auto db = open_store_db(folder.file("none.db"), {});
  REQUIRE(!db.has_value());
  REQUIRE(db.error().code == errc::not_found);
  REQUIRE(!std::filesystem::exists(folder.file("none.db")));
}

TEST_CASE("the file is for its owner only") {
  testing::temporary_folder folder;
  const std::string path = folder.file("relay.db");
  REQUIRE(sqlite_store::open(path).has_value());
  struct stat st {};
  REQUIRE(::stat(path.c_str(), &st) == 0);
  REQUIRE((st.st_mode & 077) == 0);
}

TEST_CASE("facts of a home or gateway that is not registered change nothing") {
  testing::temporary_folder folder;
  const std::string path = folder.file("relay.db");
  auto s = sqlite_store::open(path);
  REQUIRE(s.has_value());
  const auto box = *gateway_id::parse("box-1");
  episode e;
  e.key = {home_id{1}, episode_kind::unused, appliance_id{1}, base};
  mail m;
  m.key = {e.key, mail_edge::opened, contact_id{1}};
  const write_batch batch = {
      slot_of_everyone(base, slot_state::on),
      gap_write{home_id{1}, {base, 3, wire::gap_reason::no_clock, false, {appliance_id{1}}}},
      progress_write{box, outbox_epoch{1}, 5},
      line_write{box, line::up, {}, {}},
      seen_write{box, {}, "1", 1},
      device_write{home_id{1}, {"a/060201", wire::device_change::found, 0, {}, {}}, {}},
      fault_write{home_id{1}, {"a/060201", true, 0, {}}, {}},
      event_write{box, outbox_epoch{1}, 1, {}, {}},
      episode_open_write{e},
      mail_queue_write{m}};
  REQUIRE((*s)->commit(batch).has_value());
  for (const char* table : {"day", "gateway_state", "line", "event", "device", "device_fault", "episode", "mail"}) {
    CAPTURE(table);
    REQUIRE(count(path, std::string("SELECT count(*) FROM ") + table) == 0);
  }
}

TEST_CASE("an event sent twice is one row") {
  testing::temporary_folder folder;
  const std::string path = folder.file("relay.db");
  auto s = sqlite_store::open(path);
  register_directory(path, one_home());
  const event_write e{*gateway_id::parse("box-1"), outbox_epoch{9}, 4, {wire::event_kind::started, 2}, {}};
  REQUIRE((*s)->commit({e, e}).has_value());
  REQUIRE((*s)->commit({e}).has_value());
  REQUIRE(count(path, "SELECT count(*) FROM event WHERE seq = 4 AND value = 2") == 1);
}

TEST_CASE("a batch that fails in the middle leaves nothing") {
  testing::temporary_folder folder;
  const std::string path = folder.file("relay.db");
  auto s = sqlite_store::open(path);
  register_directory(path, one_home());
  REQUIRE(raw(path).exec("CREATE TRIGGER no_alive BEFORE INSERT ON alive BEGIN SELECT raise(FAIL, 'disk'); END").has_value());
  REQUIRE(!(*s)->commit({slot_of_everyone(base, slot_state::on), alive_write{wall_from_ms(1)}}).has_value());
  REQUIRE(count(path, "SELECT count(*) FROM day") == 0);
  REQUIRE(raw(path).exec("DROP TRIGGER no_alive").has_value());
  REQUIRE((*s)->commit({slot_of_everyone(base, slot_state::on), alive_write{wall_from_ms(1)}}).has_value());
  REQUIRE(count(path, "SELECT count(*) FROM day") == 3);
}

TEST_CASE("a broken row is put aside and its day goes on; others never notice") {
  testing::temporary_folder folder;
  const std::string path = folder.file("relay.db");
  auto s = sqlite_store::open(path);
  register_directory(path, one_home());
  REQUIRE((*s)->commit({slot_of_everyone(base, slot_state::on)}).has_value());
  REQUIRE(raw(path).exec("UPDATE day SET cells = x'01ff' WHERE appliance = 2").has_value());
  const auto broken = (*s)->read_day(home_id{1}, appliance_id{2}, day_of(base));
  REQUIRE(!broken.has_value());
  REQUIRE(broken.error().code == errc::storage_corrupt);
  REQUIRE((*s)->commit({slot_of_everyone(base + 1, slot_state::off)}).has_value());
  REQUIRE(count(path, "SELECT count(*) FROM day_broken WHERE appliance = 2 AND cells = x'01ff'") == 1);
  REQUIRE((*s)->read_day(home_id{1}, appliance_id{2}, day_of(base)).has_value());
  const auto other = (*s)->read_day(home_id{1}, appliance_id{1}, day_of(base));
  REQUIRE(other.has_value());
  REQUIRE((*other)[static_cast<std::size_t>(base - first_slot_of(day_of(base)))].state == slot_state::on);
}

TEST_CASE("ids are never given twice") {
  testing::temporary_folder folder;
  auto db = open_store_db(folder.file("relay.db"), {.create = true});
  REQUIRE(db.has_value());
  home h;
  h.name = "a";
  const auto first = add_home(*db, h, {}, {});
  REQUIRE(first == home_id{1});
  REQUIRE(add_home(*db, h, {}, {}).error().code == errc::already_exists);
  appliance a;
  a.home = *first;
  REQUIRE(add_appliance(*db, a) == appliance_id{1});
  REQUIRE(remove_appliance(*db, *first, appliance_id{1}, wall_from_ms(5)).has_value());
  REQUIRE(remove_appliance(*db, *first, appliance_id{1}, wall_from_ms(5)).error().code == errc::not_found);
  REQUIRE(add_appliance(*db, a) == appliance_id{2});
  a.home = home_id{77};
  REQUIRE(add_appliance(*db, a).error().code == errc::not_found);
  contact c;
  REQUIRE(add_contact(*db, c) == contact_id{1});
  REQUIRE(remove_contact(*db, contact_id{1}).has_value());
  REQUIRE(add_contact(*db, c) == contact_id{2});
  h.name = "b";
  REQUIRE(add_home(*db, h, {}, {}) == home_id{2});
  REQUIRE(remove_home(*db, home_id{2}).has_value());
  REQUIRE(add_home(*db, h, {}, {}) == home_id{3});
}

TEST_CASE("the reactor reads whole commits while a worker writes them") {
  testing::temporary_folder folder;
  const std::string path = folder.file("relay.db");
  auto opened = sqlite_store::open(path);
  REQUIRE(opened.has_value());
  sqlite_store* s = opened->get();
  register_directory(path, one_home());
  std::atomic<int> committed{0};
  std::thread worker([s, &committed] {
    for (std::int32_t i = 0; i < 60; ++i) {
      TOMO_REQUIRE(s->commit({slot_of_everyone(base + i, slot_state::on)}).has_value());
      committed = i + 1;
    }
  });
  while (committed < 60) {
    const int known = committed;  // what was acknowledged is seen, and appliance 1 never ahead of a later read of 3
    const std::size_t first = present(*s, appliance_id{1});
    const std::size_t third = present(*s, appliance_id{3});
    TOMO_REQUIRE(first >= static_cast<std::size_t>(known));
    TOMO_REQUIRE(third >= first);
  }
  worker.join();
  SUCCEED();
}

}  // namespace tomoshibi::relay::test
