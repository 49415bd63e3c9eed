// Goal: a mail goes out once, at a time its reader allows, is tried again as promised, and never silently disappears.
#include "tests/relay/core/relay_bench.hpp"

#include "relay/core/mail_schedule.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::relay;
using namespace tomoshibi::relay::test;

namespace {

constexpr std::uint32_t family = 10;

// Faults make mails at once, to two readers.
struct faulty_home : relay_bench {
  session_id s{};
  record_seq seq = 1;
  faulty_home() {
    add_home(1);
    store.edit_directory().contacts.erase(contact_id{1});
    store.edit_directory().homes.at(home_id{1}).blind_family_after = 24h * 1'000;
    store.edit_directory().homes.at(home_id{1}).blind_provider_after = 24h * 1'000;
  }
  void dial() {
    wire::hello h;
    h.next_seq = 1'000;
    s = connect_live("box-1", h);
    seq = last_of<wire::welcome>(s)->acked_seq + 1;
  }
  void fault(bool faulty) {
    from(s, wire::records{.first_seq = seq++,
                          .items = {{wire::device_fault{.device = "d", .faulty = faulty, .description = 0,
                                                        .appliance = appliance_id{1}}, wall()}}});
  }
  const mail& only() const { return store.mails().begin()->second; }
};

wall_at at(const char* hh_mm) {  // of a day in Japan
  const int h = (hh_mm[0] - '0') * 10 + hh_mm[1] - '0';
  const int m = (hh_mm[3] - '0') * 10 + hh_mm[4] - '0';
  return wall_at{std::chrono::sys_days{std::chrono::year{2026} / 5 / 10}} + std::chrono::hours{h - 9} + std::chrono::minutes{m};
}

}  // namespace

TEST_CASE("a device that is forgotten closes its fault; one whose fault is not stored yet does not") {
  faulty_home b;
  b.start();
  b.dial();
  b.fault(true);
  REQUIRE(b.store.load_open_episodes()->size() == 1);
  b.directory_changed();
  CHECK(b.store.load_open_episodes()->size() == 1);
  SECTION("while the relay runs") {
    b.store.forget_device(home_id{1}, "d");
    b.directory_changed();
    CHECK(b.store.load_open_episodes()->empty());
    b.fault(true);  // it was there after all
    CHECK(b.store.load_open_episodes()->size() == 1);
  }
  SECTION("while it is down") {
    b.cut();
    b.store.forget_device(home_id{1}, "d");
    b.start();
    CHECK(b.store.load_open_episodes()->empty());
  }
  SECTION("a fault on its way to the store is no forgotten one") {
    b.fault(false);
    b.commits_at_once = false;
    b.fault(true);
    b.directory_changed();
    while (!b.commits.empty()) b.finish_commit(true);
    CHECK(b.store.load_open_episodes()->size() == 1);
  }
  SECTION("what cannot be read is not forgotten") {
    b.store.forget_device(home_id{1}, "d");
    b.store.fail_loads(true);
    b.directory_changed();
    CHECK(b.store.load_open_episodes()->size() == 1);
    b.store.fail_loads(false);
    b.directory_changed();
    CHECK(b.store.load_open_episodes()->empty());
  }
}

TEST_CASE("quiet hours: over midnight, within a day, none; exact to the millisecond") {
  const quiet_hours night{22 * 60, 7 * 60};
  CHECK(after_quiet_hours(at("21:59") + 59'999ms, night, 540) == at("21:59") + 59'999ms);
  CHECK(after_quiet_hours(at("22:00"), night, 540) == at("07:00") + 24h);
  CHECK(after_quiet_hours(at("06:59") + 59'999ms, night, 540) == at("07:00"));
  CHECK(after_quiet_hours(at("07:00"), night, 540) == at("07:00"));
  CHECK(after_quiet_hours(at("00:00"), night, 540) == at("07:00"));
  const quiet_hours nap{13 * 60, 14 * 60};
  CHECK(after_quiet_hours(at("12:59"), nap, 540) == at("12:59"));
  CHECK(after_quiet_hours(at("13:30"), nap, 540) == at("14:00"));
  CHECK(after_quiet_hours(at("03:00"), {}, 540) == at("03:00"));
  CHECK(after_quiet_hours(at("22:30"), night, 300) == at("22:30"));  // there it is early evening
}

TEST_CASE("retries come after 1, 5, 15 and 60 minutes, then hourly") {
  CHECK(retry_delay(1) == 1min);
  CHECK(retry_delay(2) == 5min);
  CHECK(retry_delay(3) == 15min);
  CHECK(retry_delay(4) == 60min);
  CHECK(retry_delay(50) == 60min);
}

TEST_CASE("a mail is handed out when its row is durable, and not before") {
  faulty_home b;
  b.start();
  b.dial();
  b.commits_at_once = false;
  b.fault(true);
  CHECK(b.mails.empty());
  b.finish_commit(false);
  b.run_for(1s);
  CHECK(b.mails.empty());
  b.finish_commit(true);
  REQUIRE(b.mails.size() == 1);
  CHECK(b.mails[0].to_address == "d@example.org");
  CHECK(b.mails[0].from_address == "watch@example.net");
  CHECK(b.mails[0].what.message_id.ends_with("@example.net"));
  CHECK_FALSE(b.mails[0].what.subject.empty());
  while (!b.commits.empty()) b.finish_commit(true);
  CHECK(b.only().state == mail_state::sent);
  CHECK(b.only().attempts == 1);
}

TEST_CASE("temporary answers are retried with the same text, then given up after three days and shown") {
  faulty_home b;
  b.mail_answer = mail_outcome::temporary;
  b.start();
  b.dial();
  const wall_at queued = b.wall();
  b.fault(true);
  REQUIRE(b.mails.size() == 1);
  CHECK(b.only().state == mail_state::queued);
  CHECK(b.only().last_error == "250 as told");
  b.run_for(59'999ms);
  CHECK(b.mails.size() == 1);
  b.run_for(7s);  // a tenth of jitter
  CHECK(b.mails.size() == 2);
  b.run_for(24h * 4);
  CHECK(b.only().state == mail_state::given_up);
  CHECK(b.mails.size() > 60);
  CHECK(b.mails.size() < 80);
  CHECK(b.mails.front().what.message_id == b.mails.back().what.message_id);
  CHECK(b.mails.front().what.body == b.mails.back().what.body);
  CHECK(b.core->health().mails_given_up == 1);
  CHECK(b.core->health().mails_queued == 0);
  CHECK(b.only().not_before - queued >= 72h - 1h);
}

TEST_CASE("a permanent answer ends it at once") {
  faulty_home b;
  b.mail_answer = mail_outcome::permanent;
  b.start();
  b.dial();
  b.fault(true);
  b.run_for(5h);
  CHECK(b.mails.size() == 1);
  CHECK(b.only().state == mail_state::given_up);
}

TEST_CASE("quiet hours hold a mail until they end, over a restart too") {
  faulty_home b;
  b.wall_offset = at("23:00") - wall_at{};
  b.store.edit_directory().contacts.at(contact_id{family}).quiet = {22 * 60, 7 * 60};
  b.store.edit_directory().homes.at(home_id{1}).watch_since = b.wall();
  b.start();
  b.dial();
  b.fault(true);
  CHECK(b.only().not_before == at("07:00") + 24h);
  b.run_for(4h);
  b.cut();
  b.start();
  b.run_for(4h - 1ms);
  CHECK(b.mails.empty());
  b.run_for(1ms);
  CHECK(b.mails.size() == 1);
}

TEST_CASE("a retry does not break into quiet hours either") {
  faulty_home b;
  b.wall_offset = at("21:58") - wall_at{};
  b.store.edit_directory().contacts.at(contact_id{family}).quiet = {22 * 60, 7 * 60};
  b.store.edit_directory().homes.at(home_id{1}).watch_since = b.wall();
  b.mail_answer = mail_outcome::temporary;
  b.start();
  b.dial();
  b.fault(true);
  b.run_for(90s);
  CHECK(b.mails.size() == 2);
  b.run_for(8h);
  CHECK(b.mails.size() == 2);
  b.run_for(61min);
  CHECK(b.mails.size() > 2);
}

TEST_CASE("the all-clear waits for its alert") {
  faulty_home b;
  b.mail_answer = mail_outcome::temporary;
  b.start();
  b.dial();
  b.fault(true);
  b.fault(false);
  b.run_for(30s);
  b.mail_answer = mail_outcome::ok;
  b.run_for(10min);
  REQUIRE(b.mails.size() == 3);
  CHECK(b.mails[0].what.key.edge == mail_edge::opened);
  CHECK(b.mails[1].what.key.edge == mail_edge::opened);
  CHECK(b.mails[2].what.key.edge == mail_edge::closed);
}

TEST_CASE("a reader who was removed gets nothing more; one who came later gets no all-clear") {
  faulty_home b;
  b.mails_at_once = false;
  b.mail_answer = mail_outcome::temporary;
  b.start();
  b.dial();
  b.fault(true);
  b.finish_mail(mail_outcome::temporary);
  directory& d = b.store.edit_directory();
  contact later = d.contacts.at(contact_id{family});
  later.id = contact_id{11};
  d.contacts.erase(contact_id{family});
  d.contacts[later.id] = later;
  b.directory_changed();
  b.run_for(10min);
  CHECK(b.mails.size() == 1);
  CHECK(b.only().state == mail_state::cancelled);
  b.fault(false);
  b.run_for(10min);
  CHECK(b.mails.size() == 1);
}

TEST_CASE("no more mails are out at once than allowed, and all go in the end") {
  relay_bench b;
  b.limits.mails_in_flight_max = 2;
  b.mails_at_once = false;
  b.add_home(1);
  for (std::uint32_t i = 20; i < 27; ++i)
    b.store.edit_directory().contacts[contact_id{i}] = {contact_id{i}, home_id{1}, contact_role::family, "x",
                                                        "x@example.org", language::ja, {}};
  b.start();
  wire::hello h;
  h.next_seq = 10;
  const session_id s = b.connect_live("box-1", h);
  b.from(s, wire::records{.first_seq = 1, .items = {{wire::device_fault{.device = "d", .faulty = true, .description = 0,
                                                                        .appliance = appliance_id{1}}, b.wall()}}});
  std::size_t answered = 0;
  while (!b.mails_out.empty()) {
    CHECK(b.mails_out.size() <= 2);
    b.finish_mail(mail_outcome::ok);
    ++answered;
  }
  CHECK(answered == 9);
  for (const auto& [key, m] : b.store.mails()) CHECK(m.state == mail_state::sent);
}

TEST_CASE("power cut with a mail out: it goes again with the same Message-ID; after its result is durable never") {
  faulty_home b;
  b.mails_at_once = false;
  b.start();
  b.dial();
  b.fault(true);
  REQUIRE(b.mails.size() == 1);
  b.cut();
  b.start();
  REQUIRE(b.mails.size() == 2);
  CHECK(b.mails[0].what.message_id == b.mails[1].what.message_id);
  b.finish_mail(mail_outcome::ok);
  b.cut();
  b.start();
  b.run_for(5h);
  CHECK(b.mails.size() == 2);
}

TEST_CASE("a mail that was sent is not taken up again while its result waits for the store") {
  faulty_home b;
  b.start();
  b.dial();
  b.mails_at_once = false;
  b.fault(true);
  REQUIRE(b.mails.size() == 1);
  b.commits_at_once = false;
  b.finish_mail(mail_outcome::ok);
  b.directory_changed();  // reads the store's queue, where it still stands
  CHECK(b.mails.size() == 1);
  while (!b.commits.empty()) b.finish_commit(true);
  b.directory_changed();
  CHECK(b.mails.size() == 1);
}

TEST_CASE("a test mail that tomoshibi-ctl queued is sent at the next word from it, quiet hours or not") {
  faulty_home b;
  b.wall_offset = at("23:00") - wall_at{};
  b.store.edit_directory().contacts.at(contact_id{family}).quiet = {22 * 60, 7 * 60};
  b.start();
  mail m;
  m.key.episode.home = home_id{1};
  m.key.edge = mail_edge::test;
  m.key.to = contact_id{family};
  m.urgent = true;
  m.queued = m.not_before = b.wall();
  m.subject = "test";
  REQUIRE(b.store.commit({mail_queue_write{m}}));
  b.directory_changed();
  REQUIRE(b.mails.size() == 1);
  CHECK(b.only().state == mail_state::sent);
}

TEST_CASE("health tells since when a mail is late; quiet hours do not make one late") {
  faulty_home b;
  b.wall_offset = at("23:00") - wall_at{};
  b.store.edit_directory().contacts.at(contact_id{family}).quiet = {22 * 60, 7 * 60};
  b.store.edit_directory().homes.at(home_id{1}).watch_since = b.wall();
  b.mail_answer = mail_outcome::temporary;
  b.start();
  b.dial();
  b.fault(true);
  b.run_for(8h - 1ms);
  CHECK(b.core->health().mails_queued == 1);
  CHECK_FALSE(b.core->health().oldest_mail);
  b.run_for(1h);
  REQUIRE(b.core->health().oldest_mail);
  CHECK(*b.core->health().oldest_mail == at("07:00") + 24h);
  b.cut();
  b.start();
  CHECK(b.core->health().oldest_mail);  // it was tried before: still late
  b.mail_answer = mail_outcome::ok;
  b.run_for(2h);
  CHECK(b.mails.back().what.key.to == contact_id{family});
  CHECK_FALSE(b.core->health().oldest_mail);
}

TEST_CASE("health tells of a mail that is due while as many as may be are out") {
  relay_bench b;
  b.limits.mails_in_flight_max = 1;
  b.mails_at_once = false;
  b.add_home(1);
  b.start();
  wire::hello h;
  h.next_seq = 10;
  const session_id s = b.connect_live("box-1", h);
  const wall_at queued = b.wall();
  b.from(s, wire::records{.first_seq = 1, .items = {{wire::device_fault{.device = "d", .faulty = true, .description = 0,
                                                                        .appliance = appliance_id{1}}, b.wall()}}});
  b.run_for(20s);
  b.finish_mail(mail_outcome::ok);
  REQUIRE(b.mails_out.size() == 1);
  b.run_for(20s);
  CHECK(b.core->health().oldest_mail > queued);
  CHECK(b.core->health().oldest_mail <= queued + 20s);
  b.finish_mail(mail_outcome::ok);
  CHECK_FALSE(b.core->health().oldest_mail);
}

// A wake that is due and does nothing comes back at the same moment, until the commits of the stop are done.
TEST_CASE("a relay that stops is not woken for the mails that it does not send any more") {
  faulty_home b;
  b.mail_answer = mail_outcome::temporary;
  b.start();
  b.dial();
  b.fault(true);
  REQUIRE(b.store.mails().size() == 1);
  const std::size_t tried = b.mails.size();
  b.now += 24h;  // due again by now
  b.commits_at_once = false;
  output out;
  b.core->on_stop(b.now, b.wall(), out);
  REQUIRE_FALSE(b.core->idle());
  b.core->on_wake(b.now, b.wall(), out);
  CHECK(b.core->next_wake() > b.now);
  CHECK(b.mails.size() == tried);
}
