// Goal: whatever an enrolled gateway sends, in whatever pieces, the relay core keeps its promises and does not crash.
#include "protocol/base/check.hpp"
#include "relay/core/relay.hpp"
#include "relay/ports/memory_store.hpp"

using namespace tomoshibi;
using namespace tomoshibi::relay;

namespace {

constexpr wall_at start = start_of(slot_index{1'900'800});

void add_home(directory& d) {
  const gateway_id id = *gateway_id::parse("a");
  home h;
  h.id = home_id{1};
  h.watch_mode = true;
  h.watch_since = start - 24h * 10;
  d.homes[h.id] = h;
  d.gateways[id] = {id, h.id, false, "c"};
  for (std::uint16_t n = 1; n <= 3; ++n) {
    appliance a;
    a.home = h.id;
    a.spec.appliance = appliance_id{n};
    if (n < 3) a.quiet_days = n;
    d.appliances[{h.id, appliance_id{n}}] = a;
  }
  contact c;
  c.id = contact_id{1};
  c.home = h.id;
  d.contacts[c.id] = c;
}

}  // namespace

// The first byte says in which pieces the rest arrives; each piece may be followed by a wake some minutes later.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  memory_store store;
  add_home(store.edit_directory());
  relay_core core{setup{.store = store, .log = null_log(), .mail_from = "w@example.org"}};
  output out;
  mono_time now{};
  const auto wall = [&now] { return start + now.time_since_epoch(); };
  const auto act = [&] {
    for (int rounds = 0; !out.empty(); ++rounds) {
      TOMO_REQUIRE(rounds < 1'000);
      output todo;
      todo.swap(out);
      for (const action& a : todo) {
        if (const auto* c = std::get_if<commit>(&a)) core.on_commit_done(now, wall(), c->ticket, store.commit(*c->batch), out);
        if (const auto* m = std::get_if<submit_mail>(&a)) core.on_mail_done(now, wall(), m->what.key, {}, out);
      }
    }
  };
  TOMO_REQUIRE(core.on_start(now, wall(), out).has_value());
  core.on_session_open(now, wall(), session_id{1}, {"a", "c", ""}, out);
  act();
  const std::size_t piece = data[0] % 64u + 1;
  for (byte_view rest{data + 1, size - 1}; !rest.empty();) {
    const byte_view chunk = rest.first(std::min(piece, rest.size()));
    rest = rest.subspan(chunk.size());
    core.on_session_bytes(now, wall(), session_id{1}, chunk, out);
    act();
    if (data[0] & 64) {
      now += 20s;
      core.on_wake(now, wall(), out);
      act();
    }
  }
  TOMO_REQUIRE(core.idle());
  return 0;
}
