// Goal: sender and guard centre on a bad line, in virtual time. Every event ends delivered, and then stands exactly once in
// the list of the receiver that is named; or as not delivered. No list has an event twice, whatever the line and the centres
// do; and once they behave, everything that was not given up arrives.
#include "protocol/dc09/sender.hpp"
#include "tests/protocol/dc09/samples.hpp"
#include "tools/guard.d/core/centre.hpp"

#include <catch2/catch_test_macros.hpp>

#include <map>

using namespace tomoshibi;
using namespace tomoshibi::dc09;
using namespace tomoshibi::dc09::testing;

namespace {

constexpr wall_at true_start{std::chrono::sys_days{std::chrono::year{2027} / 1 / 1}};
constexpr millis faults_last = 10min;
constexpr millis quiet_lasts = 20min;

struct world {
  explicit world(std::uint64_t seed) : random(seed) {
    sender_settings s;
    const std::size_t n = 1 + random.below(2);
    for (std::size_t k = 0; k < n; ++k) {
      s.receivers.push_back({.format = random.chance(500) ? token::adm_cid : token::sia_dcs});
      guard::centre_settings c;
      c.accounts = {{"1234", "plain", nullptr}, {"ABCD", "sealed", key()}};
      c.random = [this](std::span<std::uint8_t> out) { fill(out); };
      centres.emplace_back(std::move(c));
    }
    s.null_interval = random.chance(500) ? millis{30s} : 0ms;
    s.null_account = "1234";
    s.random = [this](std::span<std::uint8_t> out) { fill(out); };
    s.prefer_first_after = 60s;
    clock_error = random.chance(300) ? millis{random.between(-3'600'000, 3'600'000)} : 0ms;
    from.emplace(std::move(s));
  }

  static std::shared_ptr<const cipher> key() {
    return {std::shared_ptr<void>{}, &key_of(32)};
  }
  void fill(std::span<std::uint8_t> out) {
    for (auto& b : out) b = static_cast<std::uint8_t>(random.next());
  }

  // ---- the line: bytes in order, in any pieces, after any delay; or nothing any more
  struct piece {
    mono_time at;
    std::string data;      // empty: the end of the connection
  };
  struct connection {
    std::size_t receiver = 0;
    bool open = false, dead = false;     // dead: half open, swallows everything
    std::deque<piece> up, down;
    mono_time opens = never, fails = never;
  };

  void put(std::deque<piece>& on, std::string_view data) {
    mono_time at = on.empty() ? now : std::max(now, on.back().at);
    while (!data.empty()) {
      const std::size_t n = !faulty || random.chance(600) ? data.size() : 1 + random.below(data.size());
      if (faulty && random.chance(300)) at += millis{random.below(2000)};
      else at += millis{random.below(20)};
      on.push_back({at, std::string(data.substr(0, n))});
      data.remove_prefix(n);
    }
  }

  void drain(sender_output& out) {
    for (auto& a : out.actions) {
      if (auto* c = std::get_if<sender_output::connect_to>(&a)) open_line(*c);
      if (auto* w = std::get_if<sender_output::write>(&a)) send_up(*w);
      if (auto* c = std::get_if<sender_output::close>(&a)) close_line(c->connection);
      if (auto* d = std::get_if<sender_output::delivered>(&a)) ended(d->id, d->receiver);
      if (auto* f = std::get_if<sender_output::failed>(&a)) ended(f->id, std::nullopt);
    }
    out.actions.clear();
  }
  void open_line(const sender_output::connect_to& c) {
    connection& l = lines[c.connection];
    l.receiver = c.receiver;
    (faulty && random.chance(250) ? l.fails : l.opens) = now + millis{random.below(faulty ? 8000 : 50)};
  }
  void send_up(const sender_output::write& w) {
    const auto l = lines.find(w.connection);
    REQUIRE(l != lines.end());
    if (faulty && random.chance(50)) l->second.dead = true;
    if (!l->second.dead) put(l->second.up, w.data);
    if (faulty && random.chance(60)) {    // the line goes, with what is on it
      l->second.up.push_back({std::max(now, l->second.up.empty() ? now : l->second.up.back().at), ""});
      l->second.down.push_back({now + millis{random.below(500)}, ""});
    }
  }
  void close_line(std::uint64_t n) {
    const auto l = lines.find(n);
    if (l == lines.end()) return;
    if (l->second.open) centres[l->second.receiver].on_closed(n);
    lines.erase(l);
  }

  void drain(std::size_t k, guard::centre_output& out) {
    for (auto& a : out.actions) {
      if (auto* s = std::get_if<guard::centre_output::send>(&a)) {
        if (const auto l = lines.find(s->connection); l != lines.end() && !l->second.dead) put(l->second.down, s->data);
      }
      if (auto* r = std::get_if<guard::centre_output::reset>(&a)) {
        if (const auto l = lines.find(r->connection); l != lines.end())
          l->second.down.push_back({l->second.down.empty() ? now : l->second.down.back().at, ""});
      }
    }
    out.actions.clear();
    (void)k;
  }

  // ---- ends
  void ended(std::uint64_t id, std::optional<std::size_t> receiver) {
    INFO("event " << id);
    REQUIRE(ends.emplace(id, receiver).second);
    if (receiver) REQUIRE(listed(*receiver, id) == 1);
  }
  std::size_t listed(std::size_t k, std::uint64_t id) const {
    std::size_t n = 0;
    for (const auto& e : centres[k].entries()) n += e.reference == "press " + std::to_string(id) ? 1u : 0u;
    return n;
  }

  wall_at wall() const { return true_start + now.time_since_epoch(); }
  wall_at sender_wall() const { return wall() + clock_error; }

  void submit() {
    const bool sealed = random.chance(500);
    sender_output out;
    outgoing e{.id = ++last_id, .sequence = sequence = next_sequence(sequence), .account = sealed ? "ABCD" : "1234",
               .key = sealed ? &key_of(32) : nullptr,
               .what = {static_cast<event>(1 + random.below(static_cast<std::uint64_t>(last_event))), edge::begun, 1,
                        static_cast<std::uint16_t>(random.below(1000))},
               .occurred = sender_wall(), .reference = "press " + std::to_string(last_id), .urgent = random.chance(300)};
    if (random.chance(200)) e.give_up_at = now + millis{random.below(120'000)};
    REQUIRE(from->submit(now, sender_wall(), std::move(e), out));
    drain(out);
  }
  void misbehave() {
    if (!random.chance(400)) return;
    guard::centre& c = centres[random.below(centres.size())];
    REQUIRE(c.misbehaviour().add({.after = static_cast<std::uint32_t>(random.below(3)),
                                  .with = static_cast<guard::answer>(1 + random.below(14)),
                                  .count = static_cast<std::uint32_t>(1 + random.below(3)),
                                  .delay = millis{random.below(300)}}));
  }

  // ---- time
  mono_time next() const {
    mono_time at = from->next_wake();
    for (const auto& c : centres) at = std::min(at, c.next_wake());
    for (const auto& [n, l] : lines) {
      at = std::min({at, l.opens, l.fails});
      if (!l.up.empty()) at = std::min(at, l.up.front().at);
      if (!l.down.empty()) at = std::min(at, l.down.front().at);
    }
    return at;
  }
  void step_line(std::uint64_t n) {
    sender_output out;
    guard::centre_output back;
    connection& l = lines.find(n)->second;
    const std::size_t k = l.receiver;
    if (l.fails <= now) {
      lines.erase(n);
      from->on_closed(now, sender_wall(), n, out);
    } else if (l.opens <= now) {
      l.opens = never;
      l.open = true;
      centres[k].on_open(n);
      from->on_connected(now, sender_wall(), n, out);
    } else if (!l.up.empty() && l.up.front().at <= now) {
      const std::string data = std::move(l.up.front().data);
      l.up.pop_front();
      if (data.empty()) centres[k].on_closed(n);
      else centres[k].on_bytes(now, wall(), n, as_bytes(data), back);
    } else if (!l.down.empty() && l.down.front().at <= now) {
      const std::string data = std::move(l.down.front().data);
      l.down.pop_front();
      if (data.empty()) {
        close_line(n);
        from->on_closed(now, sender_wall(), n, out);
      } else {
        from->on_bytes(now, sender_wall(), n, as_bytes(data), out);
      }
    }
    drain(k, back);
    drain(out);
  }
  void run_until(mono_time end) {
    std::size_t steps = 0;
    for (mono_time at = next(); at <= end; at = next()) {
      REQUIRE(++steps < 1'000'000);       // something is due for ever
      now = std::max(now, at);
      std::vector<std::uint64_t> all;
      for (const auto& [n, l] : lines) all.push_back(n);
      for (const std::uint64_t n : all)
        if (lines.contains(n)) step_line(n);
      for (std::size_t k = 0; k < centres.size(); ++k) {
        guard::centre_output back;
        centres[k].on_wake(now, back);
        drain(k, back);
      }
      if (from->next_wake() <= now) {
        sender_output out;
        from->on_wake(now, sender_wall(), out);
        drain(out);
      }
    }
    now = end;
  }

  prng random;
  mono_time now = mono_from_ms(1'000'000);
  bool faulty = true;
  millis clock_error{0};
  std::optional<sender> from;
  std::vector<guard::centre> centres;
  std::map<std::uint64_t, connection> lines;
  std::map<std::uint64_t, std::optional<std::size_t>> ends;
  std::uint64_t last_id = 0;
  std::uint16_t sequence = 9990;
};

}  // namespace

TEST_CASE("every event ends delivered exactly once, or as not delivered") {
  std::size_t delivered = 0, not_delivered = 0, repeats = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    INFO("seed " << seed);
    world w{seed};
    const mono_time quiet = w.now + faults_last;
    while (w.now < quiet) {
      w.run_until(w.now + millis{w.random.below(40'000)});
      w.submit();
      w.misbehave();
    }
    w.faulty = false;
    for (auto& c : w.centres) c.misbehaviour().clear();
    for (auto& [n, l] : w.lines) l.dead = l.dead && w.random.chance(500);   // half-open lines stay so until they are left
    w.run_until(w.now + quiet_lasts);
    CHECK(w.from->waiting() == 0);
    CHECK(w.ends.size() == w.last_id);
    CHECK(w.from->link() != link_state::down);
    for (std::uint64_t id = 1; id <= w.last_id; ++id)
      for (std::size_t k = 0; k < w.centres.size(); ++k) {
        CHECK(w.listed(k, id) <= 1);
        if (w.ends[id] == k) CHECK(w.listed(k, id) == 1);
      }
    for (const auto& [id, receiver] : w.ends) ++(receiver ? delivered : not_delivered);
    for (const auto& c : w.centres)
      for (const auto& e : c.entries()) repeats += e.repeats;
  }
  // The faults were there.
  CHECK(delivered > 5000);
  CHECK(not_delivered > 20);
  CHECK(repeats > 500);
}
