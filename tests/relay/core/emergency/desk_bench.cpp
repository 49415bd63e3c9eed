#include "tests/relay/core/emergency/desk_bench.hpp"

#include "protocol/base/check.hpp"
#include "protocol/dc09/press_signal.hpp"
#include "protocol/wire/frame_reader.hpp"

#include <algorithm>

namespace tomoshibi::relay::test {

desk_bench::desk_bench() {
  world.all.contacts[contact_id{1}] = {contact_id{1}, std::nullopt, contact_role::provider, "desk", "desk@example.org",
                                       language::en, {}};
  world = known_world{std::move(world.all)};
}

void desk_bench::add_home(std::uint32_t number, bool with_account) {
  directory d = world.all;
  home h;
  h.id = home_id{number};
  h.name = "home " + std::to_string(number);
  d.homes[h.id] = h;
  const auto g = *gateway_id::parse("box-" + std::to_string(number));
  d.gateways[g] = {g, h.id, false, "cert-of-" + g.text()};
  d.contacts[contact_id{number * 10}] = {contact_id{number * 10}, h.id, contact_role::family, "daughter", "d@example.org",
                                         language::en, {}};
  if (with_account) d.guards[h.id] = {.account = "A00" + std::to_string(number), .key_hex = {}};
  world = known_world{std::move(d)};
}

void desk_bench::start() {
  desk.emplace(emergency_setup{.book = book, .log = null_log(), .seed = seed++, .limits = limits, .centre_set = centre_set,
                               .mail_from = "watch@example.net"});
  TOMO_REQUIRE(desk->on_start(now, wall(), std::make_shared<const known_world>(world), out_).has_value());
  turn();
}

void desk_bench::cut() {
  for (std::uint64_t id = 1; id < next_session_; ++id) closed_.try_emplace(session_id{id}, close_reason::done);
  desk.reset();
  with_link.clear();
  with_mail_server.clear();
  out_.clear();
}

desk_bench::two_lanes desk_bench::start_two_homes() {
  add_home(1);
  add_home(2);
  start();
  const session_id one = connect(1);
  return {one, connect(2)};
}

void desk_bench::turn() {
  desk->on_turn_end(now, wall(), out_);
  act();
}

void desk_bench::act() {
  bool more = true;
  while (more) {
    more = false;
    if (std::exchange(cut_soon, false)) return cut();
    desk_output todo;
    todo.swap(out_);
    for (auto& a : todo) {
      more = true;
      if (auto* s = std::get_if<relay::send>(&a)) {
        put_bytes(received_[s->session], s->data);
      } else if (auto* c = std::get_if<relay::close>(&a)) {
        closed_[c->session] = c->reason;
      } else if (auto* g = std::get_if<guard_submit>(&a)) {
        submitted.push_back(g->what);
        TOMO_REQUIRE(with_link.emplace(g->what.id, g->what).second);
      } else if (auto* x = std::get_if<guard_cancel>(&a)) {
        with_link.erase(x->id);
      } else if (auto* m = std::get_if<submit_emergency_mail>(&a)) {
        const auto key = m->what.key;
        mails.push_back(std::move(*m));
        with_mail_server.push_back(key);
        if (mail_answers) take_mail();
      }
    }
    while (!with_link.empty() && (centre_refuses || centre_answers)) {
      const auto id = with_link.begin()->first;
      if (centre_refuses) {
        with_link.erase(id);
        desk->on_guard_failed(now, wall(), id, dc09::not_delivered::refused, out_);
      } else {
        centre_takes(id);
      }
      more = true;
    }
    if (more) desk->on_turn_end(now, wall(), out_);
  }
}

void desk_bench::take_mail() {
  const auto key = with_mail_server.front();
  with_mail_server.pop_front();
  desk->on_mail_done(now, wall(), key, {mail_answer, "250 as told"}, out_);
}

void desk_bench::mail_server_answers() {
  take_mail();
  turn();
}

void desk_bench::centre_takes(guard_event_id id, bool answer_arrives) {
  const auto at = with_link.find(id);
  TOMO_REQUIRE(at != with_link.end());
  const entry e{at->second.account, at->second.what, at->second.reference};
  with_link.erase(at);
  if (std::ranges::find(list, e) == list.end()) list.push_back(e);
  if (answer_arrives) desk->on_guard_delivered(now, wall(), id, 0, out_);
}

std::size_t desk_bench::entries_of(press_id id) const {
  return static_cast<std::size_t>(std::ranges::count(list, dc09::reference_of(id), &entry::reference));
}

void desk_bench::run_for(millis length) {
  const mono_time end = now + length;
  while (desk) {
    const mono_time next = desk->next_wake(now, wall());
    if (next > end) break;
    now = std::max(now, next);
    desk->on_wake(now, wall(), out_);
    turn();
  }
  now = end;
}

void desk_bench::directory_changed() {
  desk->on_directory(now, wall(), std::make_shared<const known_world>(world), out_);
  turn();
}

session_id desk_bench::connect(std::uint32_t number) {
  const session_id id{next_session_++};
  const std::string name = "box-" + std::to_string(number);
  desk->on_lane_open(now, wall(), id, {name, "cert-of-" + name, "test"}, out_);
  from(id, wire::lane_hello{.gateway = name, .boot = 1, .firmware_version = "1"});
  return id;
}

void desk_bench::bytes_from(session_id s, byte_view data) { desk->on_lane_bytes(now, wall(), s, data, out_); }

void desk_bench::from(session_id s, const wire::message& m, bool end_turn) {
  bytes_from(s, *wire::encode_frame(m));
  if (end_turn) turn();
}

std::vector<wire::message> desk_bench::take_inbox(session_id s) {
  std::vector<wire::message> out;
  wire::frame_reader reader;
  const bytes all = std::exchange(received_[s], {});
  byte_view rest{all};
  for (;;) {
    const auto frame = reader.next(rest);
    TOMO_REQUIRE(frame.has_value());
    if (!*frame) return out;
    auto m = wire::decode_payload(**frame);
    TOMO_REQUIRE(m.has_value());
    out.push_back(std::move(*m));
  }
}

std::vector<press_stage> desk_bench::news(session_id s, press_id id) {
  std::vector<press_stage> out;
  for (const auto& m : take_inbox(s))
    if (const auto* n = std::get_if<wire::press_news>(&m); n != nullptr && n->id == id) out.push_back(n->stage);
  return out;
}

std::optional<close_reason> desk_bench::closed(session_id s) const {
  const auto at = closed_.find(s);
  if (at == closed_.end()) return std::nullopt;
  return at->second;
}

void desk_bench::hang_up(session_id s) {
  desk->on_lane_closed(now, wall(), s, out_);
  turn();
}

std::size_t desk_bench::mails_of(emergency_notice kind) const {
  return static_cast<std::size_t>(std::ranges::count_if(mails, [kind](const auto& m) { return m.what.key.kind == kind; }));
}

wire::press a_press(std::uint64_t id, press_source source) {
  return {.id = press_id{id}, .source = source, .button = "013001:0a0b", .occurred = wall_from_ms(1'790'000'000'000),
          .age_ms = 3, .request = {}};
}

wire::press_report a_report(std::uint64_t id, press_path path) {
  return {.id = press_id{id}, .source = press_source::button, .button = "013001:0a0b",
          .occurred = wall_from_ms(1'790'000'000'000), .path = path, .times = {1'000, 5'000, 50'000, 60'000}, .request = {}};
}

}  // namespace tomoshibi::relay::test
