// A gateway and a relay that mean well, and a line that does not: records changed, cut, doubled, swapped, and bytes put in
// between, from the first hello to the middle of the conversation. Whatever arrives as plain text is the beginning of what
// was said, in order; nobody is taken for somebody else. Keys are random, so a seed says where the line meddles, not with
// which bytes.
//
// The first byte chooses the handshake. One in 64 is a full one; the others resume one and the same session, which takes
// a fortieth of the processor time and leads to the same records, so that a minute is thousands of trials and not hundreds.
#include "protocol/adapters/tls_context.hpp"
#include "protocol/adapters/tls_engine.hpp"
#include "protocol/base/check.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/support/test_pki.hpp"

#include <array>
#include <utility>

using namespace tomoshibi;

namespace {

constexpr int actions_max = 60;

constexpr const char* relay_name = "relay.test";

void talk(tls_engine& a, tls_engine& b) {
  for (bool moved = true; moved;) {
    const bytes there = a.take_output();
    TOMO_REQUIRE(b.feed(there).has_value());
    const bytes back = b.take_output();
    TOMO_REQUIRE(a.feed(back).has_value());
    moved = !there.empty() || !back.empty();
  }
}

// Both ends, and the session that a first, undisturbed meeting left with the gateway.
struct ends {
  ends() {
    const testing::test_pki pki;
    const auto date = testing::at_date(testing::certificates_used);
    auto keys = std::make_shared<ticket_keys>();
    keys->turn(testing::certificates_used, {1, 2, 3});
    relay = make_tls_server(pki.server(), date, keys).value();
    box = make_tls_client(pki.gateway(), date).value();
    auto client = tls_engine::start(box, relay_name).value();
    auto server = tls_engine::start(relay).value();
    talk(client, server);
    TOMO_REQUIRE(client.open() && server.open() && box->held(relay_name) != nullptr);
    met = *box->held(relay_name);
  }
  tls_context_ptr relay;
  tls_context_ptr box;
  tls_held_session met;
};

const ends& meeting_place() {
  static const ends made;
  return made;
}

// The trial before may have made the gateway forget its ticket, or given it another.
tls_engine dial(bool resume) {
  const ends& both = meeting_place();
  if (!resume) return tls_engine::start(both.box, relay_name, tls_resumption::off).value();
  both.box->hold(relay_name, both.met);
  return tls_engine::start(both.box, relay_name).value();
}
struct side {
  tls_engine engine;
  bytes on_the_way{};   // to the other side
  bytes said{};
  bytes heard{};
  bool failed = false;
};

class trial {
public:
  explicit trial(fuzz::input in) : in_(in), resume_(in_.below(64) != 0) {}

  void run() {
    for (int i = 0; i < actions_max && in_.left(); ++i) act();
    deliver(0);
    deliver(1);
  }

private:
  void act() {
    const std::size_t from = in_.below(2);
    collect();
    bytes& line = sides_[from].on_the_way;
    switch (in_.below(10)) {
      case 0: case 1: case 2: return deliver(from);
      case 3: return say(from, in_.part(40));
      case 4: if (!line.empty()) line[in_.u16() % line.size()] ^= static_cast<std::uint8_t>(1u << in_.below(8)); return;
      case 5: line.resize(line.size() - std::min<std::size_t>(line.size(), in_.u8())); return;
      case 6: put_bytes(line, bytes{line}); line.resize(std::min<std::size_t>(line.size(), 65'536)); return;
      case 7: line.insert(line.begin() + static_cast<std::ptrdiff_t>(line.empty() ? 0 : in_.u16() % line.size()), in_.u8()); return;
      case 8: put_bytes(line, in_.part(60)); return;
      default:
        if (line.size() > 1)
          std::rotate(line.begin(), line.begin() + in_.u16() % static_cast<std::ptrdiff_t>(line.size()), line.end());
        return;
    }
  }
  void say(std::size_t who, byte_view plain) {
    side& s = sides_[who];
    if (!s.engine.open() || s.failed || plain.empty()) return;
    if (s.engine.write(plain)) put_bytes(s.said, plain);
  }
  void collect() {
    for (side& s : sides_) put_bytes(s.on_the_way, s.engine.take_output());
  }
  void deliver(std::size_t from) {
    collect();
    const bytes data = std::exchange(sides_[from].on_the_way, {});
    side& to = sides_[1 - from];
    if (data.empty() || to.failed) return;
    to.failed = !to.engine.feed(data).has_value();
    put_bytes(to.heard, to.engine.take_plain());
    const bytes& said = sides_[from].said;
    TOMO_REQUIRE(to.heard.size() <= said.size() && std::equal(to.heard.begin(), to.heard.end(), said.begin()));
    if (to.engine.open()) TOMO_REQUIRE(to.engine.peer().common_name == (from == 0 ? "box-1" : relay_name));
    if (to.engine.open()) TOMO_REQUIRE(!to.engine.peer().resumed || resume_);
    collect();
  }

  fuzz::input in_;
  bool resume_;
  std::array<side, 2> sides_{side{dial(resume_)}, side{tls_engine::start(meeting_place().relay).value()}};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  trial{{data, size}}.run();
  return 0;
}
