// Goal: any two stores behind the port answer alike, in particular when a batch is applied twice.
#include "tests/relay/store_contract.hpp"

#include "protocol/base/prng.hpp"

#include <catch2/catch_test_macros.hpp>
#include <map>

namespace tomoshibi::relay::test {
namespace {

constexpr home_id tanaka{1};
constexpr home_id sato{2};
constexpr appliance_id tv{1};
constexpr appliance_id kettle{2};
constexpr slot_index base{1'900'000};  // in 2024

gateway_id gw(const char* text) { return *gateway_id::parse(text); }

directory two_homes() {
  directory d;
  for (home_id id : {tanaka, sato}) {
    home h;
    h.id = id;
    h.name = id == tanaka ? "田中" : "佐藤";
    h.watch_mode = id == tanaka;
    h.watch_since = wall_from_ms(1'700'000'000'123);
    d.homes[id] = h;
    wire::config c;
    c.version = 1;
    for (appliance_id a : {tv, kettle}) {
      appliance it;
      it.home = id;
      it.spec.appliance = a;
      it.spec.label = a == tv ? "テレビ" : "kettle";
      it.spec.eoj = 0x060200;
      it.spec.node = "ip:192.0.2.7";
      it.spec.on_rule = a == tv ? wire::on_rule_kind::operation_status : wire::on_rule_kind::watts_above;
      it.spec.watts_above = a == tv ? 0 : 12;
      if (a == tv) it.quiet_days = 3;
      it.added = wall_from_ms(1'600'000'000'000);
      d.appliances[{id, a}] = it;
      c.appliances.push_back(it.spec);
    }
    d.configs[id] = c;
  }
  d.gateways[gw("box-1")] = {gw("box-1"), tanaka, false, std::string(64, 'a')};
  d.gateways[gw("box-2")] = {gw("box-2"), sato, true, ""};
  d.contacts[contact_id{1}] = {contact_id{1}, tanaka, contact_role::family, "花子", "hanako@example.org", language::ja,
                               {1320, 420}};
  d.contacts[contact_id{2}] = {contact_id{2}, std::nullopt, contact_role::provider, "Help", "help@example.org",
                               language::en, {}};
  d.guards[tanaka] = {"0A12", std::string(64, 'a'), true};
  d.guards[sato] = {"0A13", {}, false};
  return d;
}

struct fixture {
  std::unique_ptr<store_under_test> held = make_store_under_test();
  fixture() { held->set_directory(two_homes()); }
  store& port() { return held->port(); }
  // Everything is written twice: the answer to the first commit may have been lost.
  void commit(const write_batch& batch) {
    REQUIRE(port().commit(batch).has_value());
    REQUIRE(port().commit(batch).has_value());
  }
};

template <class T>
T must(result<T> r) {
  REQUIRE(r.has_value());
  return std::move(*r);
}

// A gateway about which nothing is stored may be left out: it reads as one that never was there.
gateway_state box_1(store& s) {
  for (auto& g : must(s.load_gateways()))
    if (g.id == gw("box-1")) return g;
  return {};
}

slots_write slot_write(home_id home, slot_index slot, slot_state state, bool uncertain = false) {
  slots_write w{home, {}};
  w.slot.slot = slot;
  w.slot.time_uncertain = uncertain;
  wire::appliance_slot a;
  a.appliance = tv;
  a.state = state;
  a.on_seconds = state == slot_state::on ? 42 : 0;
  a.energy_wh = 7;
  a.readings_expected = 15;
  a.readings_got = 14;
  w.slot.appliances.push_back(a);
  return w;
}

slot_cell cell_at(store& s, home_id home, appliance_id appliance, slot_index slot) {
  const auto day = must(s.read_day(home, appliance, day_of(slot)));
  return day[static_cast<std::size_t>(slot - first_slot_of(day_of(slot)))];
}

episode unused_episode() {
  episode e;
  e.key = {tanaka, episode_kind::unused, tv, base};
  e.last_use = base - 1;
  e.off_slots = 288;
  e.unknown_slots = 4;
  e.cause = blind_cause::none;
  e.opened = wall_from_ms(1'710'000'000'001);
  return e;
}

mail mail_to(contact_id to) {
  mail m;
  m.key = {unused_episode().key, mail_edge::opened, to};
  m.queued = wall_from_ms(1'710'000'000'002);
  m.not_before = wall_from_ms(1'710'000'500'000);
  m.urgent = true;
  m.subject = "テレビが3日間使われていません";
  m.body = "一行目\n二行目 'quoted' \"too\"\n";
  m.message_id = "x@example.org";
  return m;
}

bool same_mail(const mail& a, const mail& b) {
  return a.key == b.key && a.state == b.state && a.urgent == b.urgent && a.queued == b.queued &&
         a.not_before == b.not_before && a.attempts == b.attempts && a.subject == b.subject && a.body == b.body &&
         a.message_id == b.message_id && a.last_error == b.last_error;
}

bool same_episode(const episode& a, const episode& b) {
  return a.key == b.key && a.last_use == b.last_use && a.off_slots == b.off_slots &&
         a.unknown_slots == b.unknown_slots && a.cause == b.cause && a.opened == b.opened && a.closed == b.closed &&
         a.closed_by == b.closed_by && a.cancelled == b.cancelled;
}

}  // namespace

TEST_CASE("a new store knows nothing") {
  auto held = make_store_under_test();
  store& s = held->port();
  REQUIRE(must(s.load_directory()).homes.empty());
  REQUIRE(must(s.load_gateways()).empty());
  REQUIRE(must(s.load_devices()).empty());
  REQUIRE(must(s.load_open_episodes()).empty());
  REQUIRE(must(s.load_queued_mails()).empty());
  REQUIRE(!must(s.load_alive()).has_value());
  REQUIRE(must(s.read_day(tanaka, tv, utc_day{1})) == day_cells{});
  REQUIRE(!must(s.newest_day(tanaka, tv)).has_value());
  REQUIRE(!must(s.find_episode(unused_episode().key)).has_value());
  REQUIRE(must(s.told(unused_episode().key)).empty());
  REQUIRE(s.commit({}).has_value());
}

TEST_CASE("the directory is read as it was registered") {
  fixture f;
  const auto want = two_homes();
  f.held->reopen();
  const auto got = must(f.port().load_directory());
  REQUIRE(got.homes.size() == 2);
  REQUIRE(got.homes.at(tanaka).name == "田中");
  REQUIRE(got.homes.at(tanaka).watch_mode);
  REQUIRE(got.homes.at(tanaka).watch_since == want.homes.at(tanaka).watch_since);
  REQUIRE(got.homes.at(sato).zone_min == 540);
  REQUIRE(got.homes.at(sato).blind_family_after == want.homes.at(sato).blind_family_after);
  REQUIRE(got.gateways.at(gw("box-1")).certificate_sha256 == std::string(64, 'a'));
  REQUIRE(got.gateways.at(gw("box-2")).revoked);
  REQUIRE(got.appliances.size() == 4);
  for (const auto& [key, a] : want.appliances) {
    REQUIRE(got.appliances.at(key).spec == a.spec);
    REQUIRE(got.appliances.at(key).quiet_days == a.quiet_days);
    REQUIRE(got.appliances.at(key).added == a.added);
  }
  REQUIRE(got.configs.at(tanaka) == want.configs.at(tanaka));
  REQUIRE(got.contacts.at(contact_id{1}).quiet == quiet_hours{1320, 420});
  REQUIRE(got.contacts.at(contact_id{1}).home == tanaka);
  REQUIRE(!got.contacts.at(contact_id{2}).home.has_value());
  REQUIRE(got.contacts.at(contact_id{2}).lang == language::en);
  REQUIRE(got.guards == want.guards);
  REQUIRE(got.guards.size() == 2);
}

TEST_CASE("a slot is stored with all it says, for its home and appliance only") {
  fixture f;
  f.commit({slot_write(tanaka, base, slot_state::on)});
  f.held->reopen();
  slot_cell want;
  want.present = true;
  want.state = slot_state::on;
  want.on_seconds = 42;
  want.energy_wh = 7;
  want.readings_expected = 15;
  want.readings_got = 14;
  REQUIRE(cell_at(f.port(), tanaka, tv, base) == want);
  REQUIRE(!cell_at(f.port(), tanaka, tv, base + 1).present);
  REQUIRE(!cell_at(f.port(), tanaka, kettle, base).present);
  REQUIRE(!cell_at(f.port(), sato, tv, base).present);
}

TEST_CASE("the first report of a slot stands unless its time was uncertain") {
  fixture f;
  f.commit({slot_write(tanaka, base, slot_state::off)});
  f.commit({slot_write(tanaka, base, slot_state::on)});
  REQUIRE(cell_at(f.port(), tanaka, tv, base).state == slot_state::off);

  f.commit({slot_write(tanaka, base + 1, slot_state::off, true)});
  f.commit({slot_write(tanaka, base + 1, slot_state::unknown, true)});
  REQUIRE(cell_at(f.port(), tanaka, tv, base + 1).state == slot_state::off);
  f.commit({slot_write(tanaka, base + 1, slot_state::on)});
  REQUIRE(cell_at(f.port(), tanaka, tv, base + 1).state == slot_state::on);
  REQUIRE(!cell_at(f.port(), tanaka, tv, base + 1).time_uncertain);
}

TEST_CASE("a gap marks absent slots unknown and nothing else") {
  fixture f;
  f.commit({slot_write(tanaka, base + 2, slot_state::on, true)});
  wire::slot_gap gap{base, 200, wire::gap_reason::gateway_off, false, {tv, kettle}};  // over two midnights
  f.commit({gap_write{tanaka, gap}});
  REQUIRE(cell_at(f.port(), tanaka, tv, base + 2).state == slot_state::on);
  for (std::int32_t i : {0, 1, 3, 95, 96, 199}) {
    CAPTURE(i);
    REQUIRE(cell_at(f.port(), tanaka, tv, base + i).present);
    REQUIRE(cell_at(f.port(), tanaka, tv, base + i).state == slot_state::unknown);
    REQUIRE(cell_at(f.port(), tanaka, kettle, base + i).present);
  }
  REQUIRE(!cell_at(f.port(), tanaka, tv, base - 1).present);
  REQUIRE(!cell_at(f.port(), tanaka, tv, base + 200).present);
}

TEST_CASE("the newest day is that of the newest slot told, in whatever order they came") {
  fixture f;
  f.commit({slot_write(tanaka, base + 500, slot_state::off)});
  f.commit({slot_write(tanaka, base, slot_state::on), slot_write(sato, base + 900, slot_state::on)});
  REQUIRE(must(f.port().newest_day(tanaka, tv)) == day_of(base + 500));
  REQUIRE(!must(f.port().newest_day(tanaka, kettle)).has_value());
}

TEST_CASE("slots merge as replaces() says, however they are batched, repeated and interrupted") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    prng r(seed);
    fixture f;
    std::map<std::int32_t, slot_cell> model;
    write_batch batch;
    for (int n = 0; n < 150; ++n) {
      const slot_index slot = base + static_cast<std::int32_t>(r.below(250));
      if (r.chance(100)) {
        wire::slot_gap gap{slot, static_cast<std::uint32_t>(1 + r.below(120)), wire::gap_reason::no_clock,
                           r.chance(300), {tv}};
        for (std::uint32_t i = 0; i < gap.count; ++i) {
          slot_cell& c = model[slot.value + static_cast<std::int32_t>(i)];
          if (c.present) continue;
          c.present = true;
          c.state = slot_state::unknown;
          c.time_uncertain = gap.time_uncertain;
        }
        batch.emplace_back(gap_write{tanaka, gap});
      } else {
        auto w = slot_write(tanaka, slot, static_cast<slot_state>(1 + r.below(3)), r.chance(400));
        auto& a = w.slot.appliances[0];
        a.on_seconds = static_cast<std::uint16_t>(r.below(901));
        if (r.chance(300)) a.energy_wh.reset();
        const slot_cell arrived{true, a.state, w.slot.time_uncertain, a.on_seconds, a.energy_wh, false,
                                a.readings_expected, a.readings_got};
        slot_cell& c = model[slot.value];
        if (replaces(c, arrived)) c = arrived;
        batch.emplace_back(std::move(w));
      }
      if (r.chance(100)) {
        REQUIRE(f.port().commit(batch).has_value());
        if (r.chance(300)) REQUIRE(f.port().commit(batch).has_value());
        batch.clear();
      }
      if (r.chance(20)) f.held->reopen();
    }
    REQUIRE(f.port().commit(batch).has_value());
    for (std::int32_t s = base.value - 1; s < base.value + 400; ++s) {
      CAPTURE(s);
      REQUIRE(cell_at(f.port(), tanaka, tv, {s}) == model[s]);
    }
  }
}

TEST_CASE("progress never goes back within an epoch and begins anew with the next") {
  fixture f;
  const auto progress = [&f] {
    const auto box = box_1(f.port());
    return std::pair{box.epoch, box.acked};
  };
  REQUIRE(progress() == std::pair{outbox_epoch{0}, record_seq{0}});
  const outbox_epoch first{0xfedcba9876543210};
  f.commit({progress_write{gw("box-1"), first, 10}});
  f.commit({progress_write{gw("box-1"), first, 7}});
  f.held->reopen();
  REQUIRE(progress() == std::pair{first, record_seq{10}});
  f.commit({progress_write{gw("box-1"), outbox_epoch{5}, 2}});
  REQUIRE(progress() == std::pair{outbox_epoch{5}, record_seq{2}});
}

TEST_CASE("lines: the newest change is the state, and of two at one moment the later written") {
  fixture f;
  const auto box = [&f] { return box_1(f.port()); };
  REQUIRE(box().last_line == line::down);
  REQUIRE(!box().heard.has_value());
  const auto t = [](int n) { return wall_from_ms(1'710'000'000'000 + n); };
  f.commit({line_write{gw("box-1"), line::up, t(5), t(5)}, seen_write{gw("box-1"), t(9), "0.1.0", 3}});
  REQUIRE(box().last_line == line::up);
  REQUIRE(box().line_since == t(5));
  REQUIRE(box().heard == t(9));
  f.commit({line_write{gw("box-1"), line::down, t(5), t(90'005)}});
  REQUIRE(box().last_line == line::down);
  f.commit({line_write{gw("box-1"), line::up, t(100'000), t(100'000)}});
  f.held->reopen();
  REQUIRE(box().last_line == line::up);
  REQUIRE(box().line_since == t(100'000));
}

TEST_CASE("a device's silence and its fault are kept side by side") {
  fixture f;
  const wall_at at = wall_from_ms(1'710'000'000'000);
  wire::device_report report{"0a/060201", wire::device_change::found, 0x77, tv, at};
  f.commit({device_write{tanaka, report, at}});
  auto all = must(f.port().load_devices());
  REQUIRE(all.size() == 1);
  REQUIRE(all[0].device == "0a/060201");
  REQUIRE(all[0].appliance == tv);
  REQUIRE(!all[0].silent);
  report.change = wire::device_change::silent;
  report.since = at + 60s;
  f.commit({device_write{tanaka, report, at + 90s}, fault_write{tanaka, {"0a/060201", true, 3, tv}, at + 100s}});
  f.held->reopen();
  all = must(f.port().load_devices());
  REQUIRE(all.size() == 1);
  REQUIRE(all[0].silent);
  REQUIRE(all[0].faulty);
  report.change = wire::device_change::back;
  f.commit({device_write{tanaka, report, at + 200s}});
  REQUIRE(!must(f.port().load_devices())[0].silent);
  REQUIRE(must(f.port().load_devices())[0].faulty);
  // A gateway that has lost its configuration reports the device as nobody's: the fault stands where it was told.
  report.appliance.reset();
  f.commit({device_write{tanaka, report, at + 250s}});
  REQUIRE(must(f.port().load_devices())[0].faulty);
  REQUIRE(must(f.port().load_devices())[0].appliance == tv);
  f.commit({fault_write{tanaka, {"0a/060201", false, 0, tv}, at + 300s}});
  REQUIRE(!must(f.port().load_devices())[0].faulty);
  f.commit({device_write{tanaka, report, at + 400s}});
  REQUIRE(!must(f.port().load_devices())[0].appliance.has_value());
}

TEST_CASE("that a device has no fault is no news of one that had none") {
  fixture f;
  const wall_at at = wall_from_ms(1'710'000'000'000);
  f.commit({device_write{tanaka, {"a/060201", wire::device_change::found, 0x77, tv, at}, at}});
  f.commit({fault_write{tanaka, {"a/060201", false, 0, tv}, at + 60s}});
  REQUIRE(must(f.port().load_devices())[0].since == at);
  f.commit({fault_write{tanaka, {"a/060201", true, 0, tv}, at + 120s}});
  REQUIRE(must(f.port().load_devices())[0].since == at + 120s);
  f.commit({fault_write{tanaka, {"a/060201", false, 0, tv}, at + 180s}});
  REQUIRE(must(f.port().load_devices())[0].since == at + 180s);
}

TEST_CASE("an event is taken once for each sequence") {
  fixture f;
  f.commit({event_write{gw("box-1"), outbox_epoch{1}, 4, {wire::event_kind::started, 2}, wall_from_ms(1)}});
}

TEST_CASE("an episode opens once and closes once") {
  fixture f;
  const episode e = unused_episode();
  f.commit({episode_open_write{e}});
  episode again = e;
  again.opened += 1s;
  f.commit({episode_open_write{again}});
  auto open = must(f.port().load_open_episodes());
  REQUIRE(open.size() == 1);
  REQUIRE(same_episode(open[0], e));

  f.held->reopen();
  f.commit({episode_close_write{e.key, wall_from_ms(1'711'000'000'000), base + 300, false}});
  f.commit({episode_close_write{e.key, wall_from_ms(1'712'000'000'000), base + 400, true}});
  REQUIRE(must(f.port().load_open_episodes()).empty());
  f.commit({episode_open_write{e}});
  REQUIRE(must(f.port().load_open_episodes()).empty());
  const auto found = must(f.port().find_episode(e.key));
  REQUIRE(found.has_value());
  REQUIRE(found->closed == wall_from_ms(1'711'000'000'000));
  REQUIRE(found->closed_by == base + 300);
  REQUIRE(!found->cancelled);
}

TEST_CASE("one mail for each key, with the words it was queued with") {
  fixture f;
  const mail m = mail_to(contact_id{1});
  mail other_words = m;
  other_words.subject = "something else";
  f.commit({mail_queue_write{m}});
  f.commit({mail_queue_write{other_words}, mail_queue_write{mail_to(contact_id{2})}});
  f.held->reopen();
  const auto queued = must(f.port().load_queued_mails());
  REQUIRE(queued.size() == 2);
  REQUIRE(same_mail(queued[0], m));
  REQUIRE(must(f.port().told(m.key.episode)) == std::vector{contact_id{1}, contact_id{2}});
}

TEST_CASE("a mail's result is kept, and what was sent is never queued again") {
  fixture f;
  mail m = mail_to(contact_id{1});
  f.commit({mail_queue_write{m}});
  f.commit({mail_result_write{m.key, mail_state::queued, 1, wall_from_ms(1'710'000'600'000), "451 later"}});
  auto queued = must(f.port().load_queued_mails());
  REQUIRE(queued.size() == 1);
  m.attempts = 1;
  m.not_before = wall_from_ms(1'710'000'600'000);
  m.last_error = "451 later";
  REQUIRE(same_mail(queued[0], m));
  f.commit({mail_result_write{m.key, mail_state::sent, 2, {}, ""}});
  REQUIRE(must(f.port().load_queued_mails()).empty());
  f.commit({mail_result_write{m.key, mail_state::queued, 1, {}, ""}, mail_queue_write{m}});
  REQUIRE(must(f.port().load_queued_mails()).empty());
  REQUIRE(must(f.port().told(m.key.episode)) == std::vector{contact_id{1}});
}

TEST_CASE("only the opening counts as told") {
  fixture f;
  mail m = mail_to(contact_id{1});
  m.key.edge = mail_edge::closed;
  f.commit({mail_queue_write{m}});
  REQUIRE(must(f.port().told(m.key.episode)).empty());
}

TEST_CASE("facts of a home or gateway that is not registered change nothing") {
  auto held = make_store_under_test();
  store& s = held->port();
  const mail m = mail_to(contact_id{1});
  REQUIRE(s.commit({slot_write(tanaka, base, slot_state::on),
                    gap_write{tanaka, {base, 3, wire::gap_reason::no_clock, false, {kettle}}},
                    progress_write{gw("box-1"), outbox_epoch{1}, 5}, line_write{gw("box-1"), line::up, {}, {}},
                    seen_write{gw("box-1"), {}, "1", 1}, fault_write{tanaka, {"a/060201", true, 0, {}}, {}},
                    event_write{gw("box-1"), outbox_epoch{1}, 1, {}, {}}, episode_open_write{unused_episode()},
                    mail_queue_write{m}}).has_value());
  held->set_directory(two_homes());
  REQUIRE(!must(s.newest_day(tanaka, tv)).has_value());
  REQUIRE(!must(s.newest_day(tanaka, kettle)).has_value());
  REQUIRE(box_1(s).acked == 0);
  REQUIRE(box_1(s).last_line == line::down);
  REQUIRE(must(s.load_devices()).empty());
  REQUIRE(must(s.load_open_episodes()).empty());
  REQUIRE(must(s.load_queued_mails()).empty());
}

TEST_CASE("marks to count again stand until they are taken away, each appliance its own") {
  fixture f;
  REQUIRE(must(f.port().load_recounts()).empty());
  f.commit({recount_write{tanaka, tv, base}, recount_write{tanaka, kettle, base + 7}});
  f.held->reopen();
  auto marks = must(f.port().load_recounts());
  REQUIRE(marks.size() == 2);
  REQUIRE(marks[0].home == tanaka);
  const bool tv_first = marks[0].appliance == tv;
  REQUIRE(marks[tv_first ? 0 : 1].from == base);
  REQUIRE(marks[tv_first ? 1 : 0].from == base + 7);
  f.commit({recount_write{tanaka, tv, std::nullopt}, recount_write{tanaka, tv, std::nullopt}});
  f.held->reopen();
  marks = must(f.port().load_recounts());
  REQUIRE(marks.size() == 1);
  REQUIRE(marks[0].appliance == kettle);
  f.commit({recount_write{home_id{999}, tv, base}});  // of a home that was erased
  REQUIRE(must(f.port().load_recounts()).size() == 1);
}

TEST_CASE("the time the relay last ran is the last one written") {
  fixture f;
  f.commit({alive_write{wall_from_ms(10)}, alive_write{wall_from_ms(20)}});
  f.held->reopen();
  REQUIRE(must(f.port().load_alive()) == wall_from_ms(20));
}

}  // namespace tomoshibi::relay::test
