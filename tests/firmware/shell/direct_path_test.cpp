// Goal: a press that is started on the direct path is in the guard centre's list once, under its name and time, and accepted
// only then; a drill is a test; a centre that is gone is told once, and the press goes on.
#include "firmware/core/direct_event.hpp"
#include "firmware/shell/direct_path.hpp"
#include "protocol/adapters/dc09_cipher.hpp"
#include "protocol/adapters/pki.hpp"
#include "protocol/adapters/plain_stream.hpp"
#include "protocol/dc09/press_signal.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tools/guard.d/core/centre.hpp"

#include <catch2/catch_test_macros.hpp>

#include <arpa/inet.h>
#include <map>
#include <sys/socket.h>
#include <unistd.h>

namespace tomoshibi::firmware {
namespace {

constexpr const char* key_text = "000102030405060708090a0b0c0d0e0f";

// A guard centre in the test's own loop: the strict core behind a socket.
class centre {
public:
  explicit centre(event_loop& loop) : loop_(loop), fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto* generic = reinterpret_cast<sockaddr*>(&at);
    if (::bind(fd_, generic, size) != 0 || ::listen(fd_, 8) != 0 || ::getsockname(fd_, generic, &size) != 0) std::abort();
    port = ntohs(at.sin_port);
    guard::centre_settings s;
    std::shared_ptr<const dc09::cipher> key = make_dc09_cipher(from_hex(key_text).value()).value();
    s.accounts = {{"1234", "Plain", nullptr}, {"ABCD", "Sealed", key}};
    s.random = [](std::span<std::uint8_t> out) { std::ranges::copy(random_bytes(out.size()).value(), out.begin()); };
    core.emplace(std::move(s));
    watch_.emplace(loop_, fd_, [this] { accept(); });
  }
  ~centre() {
    watch_.reset();
    ::close(fd_);
  }
  centre(const centre&) = delete;
  centre& operator=(const centre&) = delete;

  std::uint16_t port = 0;
  std::optional<guard::centre> core;

private:
  struct line final : tls_stream_events {
    line(centre& c, std::uint64_t n) : owner(c), number(n) {}
    void on_open(const tls_peer&) override {}
    void on_bytes(byte_view data) override {
      guard::centre_output out;
      owner.core->on_bytes(owner.loop_.now(), owner.loop_.wall().at, number, data, out);
      for (const auto& a : out.actions)
        if (const auto* s = std::get_if<guard::centre_output::send>(&a)) (void)stream->send(as_bytes(s->data));
    }
    void on_closed(const error&) override { owner.core->on_closed(number); }
    centre& owner;
    std::uint64_t number;
    std::unique_ptr<plain_stream> stream;
  };
  void accept() {
    const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const std::uint64_t n = lines_.size() + 1;
    core->on_open(n);
    auto& l = lines_[n] = std::make_unique<line>(*this, n);
    l->stream = plain_stream::accepted(loop_, fd);
    l->stream->start(*l);
  }
  event_loop& loop_;
  int fd_;
  std::optional<fd_watch> watch_;
  std::map<std::uint64_t, std::unique_ptr<line>> lines_;
};

struct fixture final : direct_path::listener {
  fixture() : loop(event_loop::open({}).value()), limit(*loop) {
    limit.set_after(15s, [this] { loop->stop(); });
  }
  void open(std::uint16_t port, const char* account = "1234") {
    config.account = account;
    config.guard.receivers = {"tcp://127.0.0.1:" + std::to_string(port)};
    auto made = direct_path::make(*loop, config, {}, null_log(), *this);
    REQUIRE(made);
    path = std::move(*made);
  }
  bool run_until(std::size_t count) {
    wanted = count;
    if (accepted.size() < count) (void)loop->run();
    wanted = 0;
    return accepted.size() == count;
  }
  void run_for(millis t) {
    loop_timer until(*loop);
    until.set_after(t, [this] { loop->stop(); });
    (void)loop->run();
  }
  void on_direct_accepted(press_id id) override {
    accepted.push_back(id);
    if (wanted > 0 && accepted.size() >= wanted) loop->stop();
  }
  void on_direct_link(bool down) override { states.push_back(down); }

  std::unique_ptr<event_loop> loop;
  loop_timer limit;
  direct_config config;
  std::unique_ptr<direct_path> path;
  std::vector<press_id> accepted;
  std::vector<bool> states;
  std::size_t wanted = 0;
};

press press_of(std::uint64_t id, press_source source = press_source::button) {
  return {.id = press_id{id}, .source = source, .button = "kitchen", .occurred = wall_from_ms(1'780'000'000'000)};
}

}  // namespace

TEST_CASE("a press's frame says what the relay's says, and is the same after a restart") {
  const auto e = direct_event(press_of(0xfedc'ba98'7654'3210), "1234", nullptr);
  CHECK(e.reference == "FEDCBA9876543210");
  CHECK(e.what == dc09::signal_of(press_source::button));
  CHECK(e.occurred == wall_from_ms(1'780'000'000'000));
  CHECK(e.urgent);
  CHECK(e.give_up_at == never);
  CHECK(direct_event(press_of(0xfedc'ba98'7654'3210), "1234", nullptr).sequence == e.sequence);
  press drill = press_of(7, press_source::box);
  drill.test = true;
  CHECK(is_test(direct_event(drill, "1234", nullptr).what.what));       // whatever it says it came from
  CHECK(is_test(direct_event(press_of(7, press_source::drill), "1234", nullptr).what.what));
  press unknown = press_of(8);
  unknown.occurred = {};
  CHECK_FALSE(direct_event(unknown, "1234", nullptr).occurred);
  for (const std::uint64_t id : {std::uint64_t{1}, std::uint64_t{9998}, std::uint64_t{9999}, ~std::uint64_t{0}}) {
    const auto n = direct_event(press_of(id), "1234", nullptr).sequence;
    CHECK((n >= 1 && n <= 9999));
  }
}

TEST_CASE("presses are listed once and accepted once, plain and sealed") {
  const testing::temporary_folder folder;
  REQUIRE(write_secret_file(folder.file("key"), key_text));
  for (const char* account : {"1234", "ABCD"}) {
    fixture f;
    centre c(*f.loop);
    if (std::string_view{account} == "ABCD") f.config.account_key = folder.file("key");
    f.open(c.port, account);
    for (std::uint64_t id = 1; id <= 5; ++id) {
      f.path->start(press_of(id, id == 5 ? press_source::drill : press_source::button));
      f.path->start(press_of(id));                     // started already
    }
    REQUIRE(f.run_until(5));
    f.run_for(20ms);
    CHECK(f.accepted.size() == 5);
    REQUIRE(c.core->entries().size() == 5);
    CHECK(c.core->entries()[0].reference == "0000000000000001");
    CHECK(c.core->entries()[0].encrypted == (std::string_view{account} == "ABCD"));
    CHECK_FALSE(c.core->entries()[0].test);
    CHECK(c.core->entries()[4].test);
  }
}

TEST_CASE("stopped: no word follows, and the next press goes out") {
  fixture f;
  centre c(*f.loop);
  f.open(c.port);
  REQUIRE(c.core->misbehaviour().add({.with = guard::answer::delay, .delay = 100ms}));
  f.path->start(press_of(1));
  f.run_for(30ms);
  f.path->stop(press_id{1});
  f.path->stop(press_id{9});
  f.path->start(press_of(2));
  REQUIRE(f.run_until(1));
  CHECK(f.accepted == std::vector{press_id{2}});
}

TEST_CASE("no centre: told once that the path is down, and again when it is back; the press goes on") {
  fixture f;
  std::optional<centre> c;
  c.emplace(*f.loop);
  const auto port = c->port;
  f.open(port);
  f.run_for(50ms);                                      // the NULL at the start is answered
  CHECK(f.states.empty());
  REQUIRE(c->core->misbehaviour().add({.with = guard::answer::duh, .count = 1}));
  f.path->start(press_of(1));
  f.run_for(100ms);
  CHECK(f.accepted.empty());                            // refused: offered again, later
  c.reset();
  f.path->start(press_of(2));
  f.run_for(100ms);
  CHECK(f.states == std::vector{true});
  CHECK(f.accepted.empty());
}

TEST_CASE("files that cannot be used are named") {
  fixture f;
  f.config.account = "1234";
  f.config.guard.receivers = {"tcp://127.0.0.1:1"};
  f.config.account_key = "/nonexistent/key";
  const auto made = direct_path::make(*f.loop, f.config, {}, null_log(), f);
  REQUIRE_FALSE(made);
  CHECK(made.error().detail == "guard.account_key: /nonexistent/key: No such file or directory");
  const auto checked = check_direct_files(f.config);
  REQUIRE_FALSE(checked);
  CHECK(checked.error().detail == made.error().detail);
  f.config.account_key.clear();
  CHECK(check_direct_files(f.config));
  f.config.guard.receivers = {"tls://centre:1"};
  f.config.guard.ca = "/nonexistent/ca";
  CHECK(check_direct_files(f.config).error().detail == "guard.ca: /nonexistent/ca: No such file or directory");
  f.config.account.clear();                             // nobody calls: nothing is read
  CHECK(check_direct_files(f.config));
}

}  // namespace tomoshibi::firmware
