// Goal: whatever an enrolled gateway sends on its emergency lane, in whatever pieces, with a centre that takes, refuses or says nothing
// and a book that fails: no crash, a drill never becomes an event that moves a guard, ACCEPTED is never said of what is not.
#include "protocol/base/check.hpp"
#include "protocol/dc09/press_signal.hpp"
#include "protocol/wire/frame_reader.hpp"
#include "relay/core/emergency/emergency_desk.hpp"
#include "relay/ports/memory_emergency_book.hpp"

using namespace tomoshibi;
using namespace tomoshibi::relay;

namespace {

constexpr wall_at start = wall_from_ms(1'790'000'000'000);

std::shared_ptr<const known_world> one_home() {
  directory d;
  const gateway_id id = *gateway_id::parse("box-17");
  home h;
  h.id = home_id{1};
  d.homes[h.id] = h;
  d.gateways[id] = {id, h.id, false, "c"};
  d.guards[h.id] = {.account = "A001", .key_hex = {}};
  contact c;
  c.id = contact_id{1};
  c.home = h.id;
  d.contacts[c.id] = c;
  return std::make_shared<const known_world>(std::move(d));
}

void check_event(const guard_event_row& e, const memory_emergency_book& book) {
  const auto press = book.all_presses().find(press_id{number_of_reference(e.reference)});
  if (press != book.all_presses().end()) TOMO_REQUIRE(dc09::is_test(e.what.what) == press->second.test);
}

void check_sent(const bytes& data, const memory_emergency_book& book) {
  wire::frame_reader reader;
  byte_view rest{data};
  for (;;) {
    const auto frame = reader.next(rest);
    TOMO_REQUIRE(frame.has_value());
    if (!*frame) return;
    const auto m = wire::decode_payload(**frame);
    TOMO_REQUIRE(m.has_value());
    const auto* news = std::get_if<wire::press_news>(&*m);
    if (news == nullptr) continue;
    TOMO_REQUIRE(book.all_presses().contains(news->id));
    if (news->stage == press_stage::accepted) TOMO_REQUIRE(book.all_presses().at(news->id).stage == press_stage::accepted);
  }
}

}  // namespace

// The first byte: in which pieces the rest arrives, whether time passes between them. The second: what centre, book and mail server do.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  memory_emergency_book book;
  emergency_desk desk({.book = book, .log = null_log(), .seed = 1, .centre_set = true, .mail_from = "w@example.org"});
  desk_output out;
  mono_time now{};
  const auto wall = [&now] { return start + now.time_since_epoch(); };
  const unsigned centre = data[1] % 3u;
  if (data[1] & 64) book.fail_commits(2, 3);
  const auto act = [&] {
    for (int rounds = 0;; ++rounds) {
      TOMO_REQUIRE(rounds < 1'000);
      desk.on_turn_end(now, wall(), out);
      if (out.empty()) return;
      desk_output todo;
      todo.swap(out);
      for (const auto& a : todo) {
        if (const auto* s = std::get_if<relay::send>(&a)) check_sent(s->data, book);
        if (const auto* m = std::get_if<submit_emergency_mail>(&a))
          desk.on_mail_done(now, wall(), m->what.key, {data[1] & 128 ? mail_outcome::temporary : mail_outcome::ok, "as told"}, out);
        const auto* g = std::get_if<guard_submit>(&a);
        if (g == nullptr) continue;
        check_event(g->what, book);
        if (centre == 0) desk.on_guard_delivered(now, wall(), g->what.id, 0, out);
        if (centre == 1) desk.on_guard_failed(now, wall(), g->what.id, dc09::not_delivered::refused, out);
      }
    }
  };
  TOMO_REQUIRE(desk.on_start(now, wall(), one_home(), out).has_value());
  desk.on_lane_open(now, wall(), session_id{1}, {"box-17", "c", ""}, out);
  act();
  const std::size_t piece = data[0] % 64u + 1;
  for (byte_view rest{data + 2, size - 2}; !rest.empty();) {
    const byte_view chunk = rest.first(std::min(piece, rest.size()));
    rest = rest.subspan(chunk.size());
    desk.on_lane_bytes(now, wall(), session_id{1}, chunk, out);
    act();
    if (data[0] & 64) {
      now += 7s;
      desk.on_wake(now, wall(), out);
      act();
    }
  }
  (void)desk.health();
  return 0;
}
