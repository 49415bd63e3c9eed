// Goal: the sender and the guard centre over real TCP and TLS on loopback: delivered, once in the list and in the journal,
// whatever the centre does wrong; a restarted centre books nothing twice; accounts and commands are read as documented.
#include "protocol/adapters/dc09_cipher.hpp"
#include "tests/support/dc09_line.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/test_pki.hpp"
#include "tools/guard.d/shell/accounts.hpp"
#include "tools/guard.d/shell/server.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

using namespace tomoshibi;
using namespace tomoshibi::guard;
using tomoshibi::testing::dc09_line;

namespace {

constexpr const char* accounts_text =
    "# number key name\n1234 - Plain house\nABCD 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F Sealed house\n";

struct fixture {
  fixture() : loop(event_loop::open({}).value()) {
    limit.emplace(*loop);
    limit->set_after(20s, [this] { loop->stop(); });    // a test that hangs fails instead
    key = make_dc09_cipher(from_hex("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F").value()).value();
  }
  server_settings settings(bool secure = false) {
    server_settings s;
    s.centre.accounts = parse_accounts(accounts_text, "accounts").value();
    s.centre.random = [](std::span<std::uint8_t> out) { std::ranges::copy(random_bytes(out.size()).value(), out.begin()); };
    s.terminal = nullptr;
    s.journal_path = folder.file("guard.jsonl");
    (secure ? s.tls : s.tcp) = endpoint{"127.0.0.1", 0};
    if (secure) s.identity = pki().server();
    return s;
  }
  static const testing::test_pki& pki() {
    static const testing::test_pki made;
    return made;
  }
  std::unique_ptr<server> start(bool secure = false) { return server::open(*loop, settings(secure)).value(); }
  std::unique_ptr<dc09_line> dial(const server& to, bool secure = false) {
    dc09::sender_settings s;
    s.receivers = {{.receiver = "1", .line = "1"}};
    s.answer_timeout = 300ms;
    s.pause_min = 100ms;
    tls_context_ptr context;
    if (secure) context = make_tls_client(pki().gateway(), [] { return std::optional{testing::certificates_used}; }).value();
    std::vector<dc09_line::receiver_at> at{{secure ? to.tls_at() : to.tcp_at(), context}};
    return std::make_unique<dc09_line>(*loop, std::move(s), std::move(at));
  }
  dc09::outgoing event(std::uint64_t id, bool sealed = false) const {
    return {.id = id, .sequence = static_cast<std::uint16_t>(id), .account = sealed ? "ABCD" : "1234", .key = sealed ? key.get() : nullptr,
            .what = {dc09::event::personal_emergency, dc09::edge::begun, 1, 1}, .occurred = loop->wall().at,
            .reference = "press " + std::to_string(id)};
  }
  std::vector<nlohmann::json> journal(std::string_view kind) const {
    std::vector<nlohmann::json> out;
    std::ifstream in(folder.file("guard.jsonl"));
    for (std::string line; std::getline(in, line);) {
      auto j = nlohmann::json::parse(line, nullptr, false);
      if (j.is_object() && j["kind"] == kind) out.push_back(std::move(j));
    }
    return out;
  }

  testing::temporary_folder folder;
  std::unique_ptr<event_loop> loop;
  std::optional<loop_timer> limit;
  std::unique_ptr<dc09::cipher> key;
};

}  // namespace

TEST_CASE("events over TCP and TLS, plain and sealed, are delivered and stand once in list and journal") {
  for (const bool secure : {false, true}) {
    INFO((secure ? "TLS" : "TCP"));
    fixture f;
    const auto centre = f.start(secure);
    const auto line = f.dial(*centre, secure);
    for (std::uint64_t id = 1; id <= 20; ++id) line->submit(f.event(id, id % 2 == 0));
    line->run_until_ended(20);
    REQUIRE(line->ends.size() == 20);
    for (const auto& [id, end] : line->ends) CHECK(end.delivered);
    CHECK(line->doubts.empty());
    CHECK(centre->centre().entries().size() == 20);
    CHECK(f.journal("booked").size() == 20);
    CHECK(f.journal("booked")[0]["event"] == "personal emergency");
    CHECK(f.journal("listening")[0]["transport"] == (secure ? "tls" : "tcp"));
  }
}

TEST_CASE("whatever the centre answers wrongly, the event is delivered in the end and listed once") {
  const char* orders[] = {"answer=nak count=2", "answer=silence", "answer=delay delay=100", "answer=duplicate", "answer=wrong-sequence",
                          "answer=wrong-account", "answer=bad-crc", "answer=stale", "answer=reset", "answer=slow delay=1",
                          "answer=unframed", "answer=deaf"};
  for (const bool sealed : {false, true}) {
    fixture f;
    const auto centre = f.start();
    const auto line = f.dial(*centre);
    std::uint64_t id = 0;
    for (const char* order : orders) {
      INFO(order);
      CHECK(centre->on_command("misbehave " + std::string(order)) == "so ordered\n");
      line->submit(f.event(++id, sealed));
      line->run_until_ended(id);
      REQUIRE(line->ends.contains(id));
      CHECK(line->ends[id].delivered);
      CHECK(centre->centre().entries().size() == id);
    }
    CHECK(line->doubts.find("stale") != std::string::npos);
    CHECK(line->doubts.find("foreign_account") != std::string::npos);
  }
}

TEST_CASE("DUH from the only receiver: refused, and nothing in the list") {
  fixture f;
  const auto centre = f.start();
  const auto line = f.dial(*centre);
  (void)centre->on_command("misbehave answer=duh");
  line->submit(f.event(1));
  line->run_until_ended(1);
  CHECK(line->ends[1].why == dc09::not_delivered::refused);
  CHECK(centre->centre().entries().empty());
}

TEST_CASE("a clock that is an hour wrong is corrected by NAK and the press arrives") {
  for (const millis error : {millis{-1h}, millis{1h}}) {
    fixture f;
    const auto centre = f.start();
    const auto line = f.dial(*centre);
    line->clock_error = error;
    line->submit(f.event(1, true));
    line->run_until_ended(1);
    CHECK(line->ends[1].delivered);
    CHECK(line->doubts == "clock_wrong/none ");
    CHECK(f.journal("refused").size() == 1);
  }
}

TEST_CASE("a centre that was killed after booking books the repetition as one; a torn last line costs only itself") {
  fixture f;
  auto centre = f.start();
  (void)centre->on_command("misbehave answer=silence count=0");
  auto line = f.dial(*centre);
  dc09::outgoing e = f.event(1);
  e.give_up_at = f.loop->now() + 200ms;
  line->submit(e);
  line->run_until_ended(1);
  CHECK_FALSE(line->ends[1].delivered);
  line.reset();
  centre.reset();
  std::ofstream(f.folder.file("guard.jsonl"), std::ios::app) << "{\"kind\":\"booked\",\"ent";
  centre = f.start();
  line = f.dial(*centre);
  e.give_up_at = never;
  line->submit(e);
  line->submit(f.event(2));
  line->run_until_ended(2);
  CHECK(centre->centre().entries().size() == 2);
  CHECK(centre->centre().entries()[0].repeats == 1);
  CHECK(f.journal("booked").size() == 2);
}

TEST_CASE("an order, a list, and what is neither") {
  fixture f;
  const auto centre = f.start();
  CHECK(centre->on_command("list") == "nothing has been booked\n");
  CHECK(centre->on_command("misbehave answer=maybe").find("duplicate") != std::string::npos);
  CHECK(centre->on_command("clear") == "behaving\n");
  CHECK(centre->on_command("what").starts_with("misbehave "));
  const auto line = f.dial(*centre);
  line->submit(f.event(1));
  line->run_until_ended(1);
  const std::string list = centre->on_command("list");
  for (const char* part : {"REAL", "#1", "1234", "Plain house", "personal emergency", "zone 1", "press 1", "occurred"}) {
    INFO(part);
    CHECK(list.find(part) != std::string::npos);
  }
}

TEST_CASE("accounts are read, and refused with file and line") {
  const auto good = parse_accounts(accounts_text, "a").value();
  REQUIRE(good.size() == 2);
  CHECK((good[0].number == "1234" && good[0].name == "Plain house" && good[0].key == nullptr));
  CHECK((good[1].number == "ABCD" && good[1].key != nullptr));
  CHECK(parse_accounts("abcd -", "a").value()[0].number == "ABCD");
  for (const char* bad : {"12 -", "1234", "1234 00", "1234 xyz", "WXYZ -", "1234 -\n1234 -\n"}) {
    INFO(bad);
    const auto read = parse_accounts(bad, "a");
    REQUIRE_FALSE(read);
    CHECK(read.error().detail.starts_with("a:"));
  }
}
