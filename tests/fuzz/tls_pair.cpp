// A gateway and a relay that mean well, and a line that does not: records changed, cut, doubled, swapped, and bytes put in
// between, from the first hello to the middle of the conversation. Whatever arrives as plain text is the beginning of what
// was said, in order; nobody is taken for somebody else. Keys are random, so a seed says where the line meddles, not with
// which bytes.
#include "protocol/adapters/tls_engine.hpp"
#include "protocol/base/check.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/support/test_pki.hpp"

#include <array>
#include <utility>

using namespace tomoshibi;

namespace {

constexpr int actions_max = 60;

tls_context_ptr context_of(bool server) {
  static const testing::test_pki pki;
  static const auto date = testing::at_date(testing::certificates_used);
  static const auto listening = make_tls_server(pki.server(), date).value();
  static const auto dialling = make_tls_client(pki.gateway(), date).value();
  return server ? listening : dialling;
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
  explicit trial(fuzz::input in) : in_(in) {}

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
    if (to.engine.open()) TOMO_REQUIRE(to.engine.peer().common_name == (from == 0 ? "box-1" : "relay.test"));
    collect();
  }

  fuzz::input in_;
  std::array<side, 2> sides_{side{tls_engine::start(context_of(false), "relay.test").value()},
                             side{tls_engine::start(context_of(true)).value()}};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  trial{{data, size}}.run();
  return 0;
}
