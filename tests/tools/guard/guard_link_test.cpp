// Goal: the link to a guard centre on real sockets, against the strict receiver: delivered only what stands in its list, once,
// whatever it answers; a receiver that is dead, silent or half open costs no press; what TLS does not vouch for is never a
// connection; every event that was taken has exactly one end.
#include "protocol/adapters/dc09_cipher.hpp"
#include "protocol/adapters/guard_link.hpp"
#include "tests/support/test_pki.hpp"
#include "tools/guard.d/shell/accounts.hpp"
#include "tools/guard.d/shell/server.hpp"

#include <catch2/catch_test_macros.hpp>

#include <arpa/inet.h>
#include <map>
#include <sys/socket.h>
#include <unistd.h>

using namespace tomoshibi;

namespace {

constexpr const char* key_text = "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F";

struct kept_log final : log_sink {
  void write(log_level level, std::string_view module, std::string_view event, std::span<const log_field> fields) override {
    text += format_log_line(level, module, event, fields) + '\n';
  }
  std::string text;
};

const testing::test_pki& pki() {
  static const testing::test_pki made;
  return made;
}

// A port on which connections come to nothing: never accepted, so each is silent; or, `full`, not even made.
class dead_end {
public:
  explicit dead_end(bool full) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    const bool listens = ::bind(fd_, generic(at), size) == 0 && ::listen(fd_, full ? 0 : 16) == 0;
    if (!listens || ::getsockname(fd_, generic(at), &size) != 0) std::abort();
    port = ntohs(at.sin_port);
    for (int i = 0; full && i < 4; ++i) {          // once the queue is full the kernel drops what comes
      const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      (void)::connect(fd, generic(at), sizeof at);
      fillers_.push_back(fd);
    }
  }
  ~dead_end() {
    for (const int fd : fillers_) ::close(fd);
    ::close(fd_);
  }
  dead_end(const dead_end&) = delete;
  dead_end& operator=(const dead_end&) = delete;
  std::uint16_t port = 0;

private:
  static sockaddr* generic(sockaddr_in& at) { return reinterpret_cast<sockaddr*>(&at); }
  int fd_;
  std::vector<int> fillers_;
};

struct fixture final : guard_link::listener {
  fixture() : loop(event_loop::open({}).value()), limit(*loop) {
    limit.set_after(20s, [this] { loop->stop(); });        // a test that hangs fails instead
    key = make_dc09_cipher(from_hex(key_text).value()).value();
  }
  std::unique_ptr<guard::server> centre(bool secure = false, std::uint16_t port = 0) {
    guard::server_settings s;
    s.centre.accounts = guard::parse_accounts("1234 -\nABCD " + std::string(key_text), "accounts").value();
    s.centre.random = [](std::span<std::uint8_t> out) { std::ranges::copy(random_bytes(out.size()).value(), out.begin()); };
    s.terminal = nullptr;
    (secure ? s.tls : s.tcp) = endpoint{"127.0.0.1", port};
    if (secure) s.identity = pki().server();
    return guard::server::open(*loop, std::move(s)).value();
  }
  void dial(std::vector<guard_receiver> to, const tls_identity* who = nullptr) {
    guard_link_settings s;
    s.sender.answer_timeout = 80ms;
    s.sender.connect_timeout = 300ms;
    s.sender.pause_min = 50ms;
    for (std::size_t i = 0; i < to.size(); ++i) s.sender.receivers.push_back({.receiver = "1", .line = "1"});
    s.receivers = std::move(to);
    s.tls = make_tls_client(who != nullptr ? *who : pki().gateway(), testing::at_date(testing::certificates_used)).value();
    link = std::make_unique<guard_link>(*loop, std::move(s), log, *this);
  }
  void submit(std::uint64_t id, bool sealed = false, std::string account = {}) {
    inside = true;
    REQUIRE(link->submit({.id = id, .sequence = static_cast<std::uint16_t>(id),
                          .account = !account.empty() ? account : sealed ? "ABCD" : "1234", .key = sealed ? key.get() : nullptr,
                          .what = {dc09::event::personal_emergency, dc09::edge::begun, 0, 1}, .occurred = loop->wall().at,
                          .reference = "press " + std::to_string(id), .urgent = true}));
    inside = false;
  }
  void run_until_ended(std::size_t count) {
    wanted = count;
    if (ends.size() < count) (void)loop->run();
    wanted = 0;
    REQUIRE(ends.size() >= count);
  }
  void run_for(millis t) {
    loop_timer until(*loop);
    until.set_after(t, [this] { loop->stop(); });
    (void)loop->run();
  }

  void ended(std::uint64_t id, const std::string& how) {
    CHECK_FALSE(inside);
    CHECK(ends.emplace(id, how).second);
    if (wanted > 0 && ends.size() >= wanted) loop->stop();
  }
  void on_delivered(std::uint64_t id, std::size_t receiver, mono_time at) override {
    CHECK(at <= loop->now());
    ended(id, "delivered by " + std::to_string(receiver));
  }
  void on_not_delivered(std::uint64_t id, dc09::not_delivered why) override { ended(id, std::string(name_of(why))); }
  void on_guard_link(dc09::link_state now, std::size_t) override { state = now; }
  void on_guard_doubted(std::size_t) override { ++doubts; }

  kept_log log;
  std::unique_ptr<event_loop> loop;
  loop_timer limit;
  std::unique_ptr<dc09::cipher> key;
  std::unique_ptr<guard_link> link;
  std::map<std::uint64_t, std::string> ends;
  dc09::link_state state = dc09::link_state::unknown;
  std::size_t doubts = 0;
  std::size_t wanted = 0;
  bool inside = false;
};

guard_receiver plain_at(std::uint16_t port, std::string host = "127.0.0.1") { return {false, std::move(host), port}; }
guard_receiver secure_at(std::uint16_t port, std::string host = "127.0.0.1") { return {true, std::move(host), port}; }

}  // namespace

TEST_CASE("events over TCP and TLS, plain and sealed, are delivered once; no log names account or press") {
  for (const bool secure : {false, true}) {
    INFO((secure ? "TLS" : "TCP"));
    fixture f;
    const auto centre = f.centre(secure);
    f.dial({secure ? secure_at(centre->tls_at().port) : plain_at(centre->tcp_at().port)});
    for (std::uint64_t id = 1; id <= 20; ++id) f.submit(id, id % 2 == 0);
    CHECK(f.link->waiting() == 20);
    f.run_until_ended(20);
    for (const auto& [id, how] : f.ends) CHECK(how == "delivered by 0");
    CHECK(centre->centre().entries().size() == 20);
    CHECK(f.state == dc09::link_state::up);
    CHECK(f.log.text.find("1234") == std::string::npos);
    CHECK(f.log.text.find("ABCD") == std::string::npos);
    CHECK(f.log.text.find("press") == std::string::npos);
  }
}

TEST_CASE("whatever the centre answers wrongly, over TCP and TLS: delivered in the end and listed once") {
  const char* orders[] = {"answer=nak count=2", "answer=silence", "answer=delay delay=50", "answer=duplicate", "answer=wrong-sequence",
                          "answer=wrong-account", "answer=bad-crc", "answer=stale", "answer=reset", "answer=slow delay=1",
                          "answer=unframed", "answer=deaf", "answer=ack"};
  for (const bool secure : {false, true}) {
    fixture f;
    const auto centre = f.centre(secure);
    f.dial({secure ? secure_at(centre->tls_at().port) : plain_at(centre->tcp_at().port)});
    std::uint64_t id = 0;
    for (const bool sealed : {false, true})
      for (const char* order : orders) {
        INFO(order << (secure ? ", TLS" : ", TCP") << (sealed ? ", sealed" : ", plain"));
        CHECK(centre->on_command("misbehave " + std::string(order)) == "so ordered\n");
        f.submit(++id, sealed);
        f.run_until_ended(id);
        CHECK(f.ends[id] == "delivered by 0");
        CHECK(centre->centre().entries().size() == id);
      }
    // Each time at least: two NAK, and one answer each of a wrong sequence, account, checksum, time and frame.
    CHECK(f.doubts >= 2 * 7);
    CHECK(f.log.text.find("why=stale") != std::string::npos);
    CHECK(f.log.text.find("why=foreign_sequence") != std::string::npos);
  }
}

TEST_CASE("DUH from the only receiver ends as refused; what cannot be written too, but not inside submit()") {
  fixture f;
  const auto centre = f.centre();
  f.dial({plain_at(centre->tcp_at().port)});
  (void)centre->on_command("misbehave answer=duh");
  f.submit(1);
  f.run_until_ended(1);
  CHECK(f.ends[1] == "refused");
  CHECK(f.doubts == 1);
  f.submit(2, false, "no account");
  CHECK(f.ends.size() == 1);
  f.run_until_ended(2);
  CHECK(f.ends[2] == "cannot_write");
  f.submit(3);
  f.run_until_ended(3);
  CHECK(f.ends[3] == "delivered by 0");
  CHECK(centre->centre().entries().size() == 1);
}

TEST_CASE("a first receiver that refuses, swallows or never answers: the second one has the press") {
  fixture f;
  const auto centre = f.centre();
  const dead_end silent(false), full(true);
  std::uint16_t closed = 0;
  {
    const auto gone = f.centre();
    closed = gone->tcp_at().port;
  }
  const auto second = centre->tcp_at().port;
  std::uint64_t id = 0;
  for (const guard_receiver& first : {plain_at(closed), plain_at(full.port), plain_at(silent.port), secure_at(silent.port),
                                      secure_at(full.port), secure_at(second), plain_at(second, "no-such-host.invalid")}) {
    INFO(first.host << ' ' << first.port << (first.secure ? " TLS" : " TCP"));
    f.dial({first, plain_at(second)});
    f.submit(++id);
    f.run_until_ended(id);
    CHECK(f.ends[id] == "delivered by 1");
  }
  CHECK(centre->centre().entries().size() == id);
}

TEST_CASE("no receiver at all: down, told once, nothing ends; it is delivered as soon as there is one") {
  fixture f;
  auto centre = f.centre();
  const auto port = centre->tcp_at().port;
  centre.reset();
  f.dial({plain_at(port)});
  f.submit(1);
  f.run_for(300ms);
  CHECK(f.state == dc09::link_state::down);
  CHECK(f.ends.empty());
  centre = f.centre(false, port);
  f.run_until_ended(1);
  CHECK(f.ends[1] == "delivered by 0");
}

TEST_CASE("a centre that was away comes back under the same name: the address that was known is asked for again") {
  fixture f;
  auto centre = f.centre();
  const auto port = centre->tcp_at().port;
  f.dial({plain_at(port, "localhost")});
  f.submit(1);
  f.run_until_ended(1);
  CHECK(f.log.text.find("known=0") != std::string::npos);
  centre.reset();
  f.submit(2);
  f.run_for(200ms);
  CHECK(f.log.text.find("known=1") != std::string::npos);
  CHECK(f.log.text.rfind("known=0") > f.log.text.rfind("known=1"));
  centre = f.centre(false, port);
  f.run_until_ended(2);
  CHECK(f.ends[2] == "delivered by 0");
}

TEST_CASE("another authority, another name, or no certificate of ours: never a connection, never delivered") {
  const testing::test_pki other;
  tls_identity foreign = pki().gateway();
  foreign.ca_pem = other.server().ca_pem;
  tls_identity nothing_to_show = pki().gateway();
  nothing_to_show.certificate_pem.clear();
  nothing_to_show.key_pem.clear();
  const tls_identity good = pki().gateway();
  struct trial {
    const tls_identity& who;
    const char* host;
  };
  for (const trial& t : {trial{foreign, "127.0.0.1"}, trial{good, "localhost"}, trial{nothing_to_show, "127.0.0.1"}}) {
    INFO(t.host);
    fixture f;
    const auto centre = f.centre(true);
    f.dial({secure_at(centre->tls_at().port, t.host)}, &t.who);
    f.submit(1);
    f.run_for(400ms);
    CHECK(f.ends.empty());
    CHECK(f.link->waiting() == 1);
    CHECK(f.state == dc09::link_state::down);
    CHECK(centre->centre().entries().empty());
    CHECK(f.log.text.find("evt=closed") != std::string::npos);
    CHECK(f.log.text.find("evt=up") == std::string::npos);
    CHECK(f.link->cancel(1));
    CHECK_FALSE(f.link->cancel(1));
  }
}

TEST_CASE("a link that goes takes its events along without a word") {
  fixture f;
  const auto centre = f.centre();
  f.dial({plain_at(centre->tcp_at().port)});
  f.submit(1, false, "no account");
  f.run_for(50ms);
  CHECK(f.ends.size() == 1);
  f.submit(2, false, "no account");       // ends in the next turn
  f.link.reset();
  f.run_for(50ms);
  CHECK(f.ends.size() == 1);
}
