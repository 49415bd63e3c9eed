// Goal: every emergency mail says exactly the words in tests/relay/golden; none says that the guard centre has what it has not
// acknowledged; every drill says so in its subject and first line; no name can add a line.
// After a wanted change of words run this test with TOMOSHIBI_WRITE_GOLDEN=1 and read the difference.
#include "relay/core/emergency/emergency_text.hpp"

#include "protocol/base/prng.hpp"
#include "relay/core/plain_text.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace tomoshibi::relay::test {
namespace {

wall_at utc(unsigned month, unsigned day, int hour, int minute, int second) {
  using namespace std::chrono;
  return sys_days{2026y / std::chrono::month{month} / std::chrono::day{day}} + hours{hour} + minutes{minute} + seconds{second};
}

press_row a_press(bool accepted) {
  press_row p;
  p.id = press_id{0x1122334455667788};
  p.home = home_id{12};
  p.button = "192.0.2.5/000301";
  p.occurred = utc(11, 21, 12, 20, 5);
  p.known = utc(11, 21, 12, 20, 6);
  if (accepted) {
    p.stage = press_stage::accepted;
    p.accepted = utc(11, 21, 12, 20, 9);
  }
  return p;
}

emergency_facts facts_of(emergency_notice kind, language lang, contact_role role) {
  using enum emergency_notice;
  const bool ja = lang == language::ja;
  emergency_facts f;
  f.kind = kind;
  f.where = {.id = home_id{12}, .name = ja ? "山田様宅" : "Mrs Yamada's home", .zone_min = 540, .watch_mode = true, .watch_since = {}};
  f.to = {.id = contact_id{3}, .home = home_id{12}, .role = role, .name = ja ? "山田 太郎" : "Taro Yamada",
          .address = "taro@example.org", .lang = lang, .quiet = {}};
  f.has_centre = kind != press_no_centre;
  f.gateways = {*gateway_id::parse("box-0012")};
  f.now = utc(11, 21, 12, 20, 40);
  if (kind == press || kind == press_accepted || kind == press_not_accepted || kind == press_no_centre)
    f.press = a_press(kind == press_accepted);
  if (kind == press_not_accepted) f.press->alarmed = utc(11, 21, 12, 20, 36);
  if (kind == trouble || kind == trouble_ended) {
    f.trouble = trouble_row{home_id{12}, f.gateways[0], trouble_kind::button_silent, "192.0.2.5/000301", utc(11, 20, 3, 0, 0), {}};
    if (kind == trouble_ended) f.trouble->ended = utc(11, 21, 12, 15, 0);
  }
  if (kind == event_refused)
    f.event = guard_event_row{guard_event_id{4}, home_id{12}, "0A12", 7, {dc09::event::inactivity, dc09::edge::begun, 0, 0},
                              "00000000000000aa", {}, false, utc(11, 21, 12, 0, 0), guard_event_state::refused, {}, 0};
  if (kind == dispatch || kind == dispatch_accepted || kind == dispatch_not_accepted) {
    f.dispatch = dispatch_row{dispatch_id{0xabc}, home_id{12}, ja ? "山田 花子" : "Hanako Yamada",
                              ja ? "電話に出ません" : "she does not answer the telephone", utc(11, 21, 12, 20, 0), {}, {}};
    if (kind == dispatch_accepted) f.dispatch->accepted = utc(11, 21, 12, 20, 9);
  }
  if (kind == drill_unanswered) f.drill = drill_row{0x77, home_id{12}, f.gateways[0], utc(11, 21, 12, 10, 0), {}, {}, false};
  return f;
}

std::string shown(const notice_text& text) { return "Subject: " + text.subject + "\n\n" + text.body; }

void check_golden(const std::string& name, const std::string& text) {
  const std::string path = "tests/relay/golden/emergency_" + name + ".txt";
  if (std::getenv("TOMOSHIBI_WRITE_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ifstream file(path);
  INFO(path);
  REQUIRE(file);
  std::stringstream golden;
  golden << file.rdbuf();
  CHECK(text == golden.str());
}

std::string file_name(const emergency_facts& f) {
  return std::string(name_of(f.kind)) + (f.to.lang == language::ja ? "_ja" : "_en") +
         (f.to.role == contact_role::provider ? "_provider" : "");
}

// What says that the centre has it, in every mail that says so.
bool claims_accepted(const notice_text& text) {
  static constexpr std::array claims{"has confirmed", "has the call", "has the request", "CONFIRMED\n", "受け取りました",
                                     "受け取ったことを確認しました", ": accepted\n", "the guard centre has"};
  const auto all = shown(text);
  return std::ranges::any_of(claims, [&all](const char* claim) { return all.find(claim) != std::string::npos; });
}

}  // namespace

TEST_CASE("every emergency mail has its golden text") {
  for (int k = 1; k <= static_cast<int>(emergency_notice::drill_unanswered); ++k)
    for (const auto lang : {language::ja, language::en})
      for (const auto role : {contact_role::family, contact_role::provider}) {
        const auto f = facts_of(static_cast<emergency_notice>(k), lang, role);
        if (f.kind == emergency_notice::event_refused && role == contact_role::family) continue;
        check_golden(file_name(f), shown(compose_emergency(f)));
      }
}

TEST_CASE("a drill has words of its own") {
  for (const auto kind : {emergency_notice::press, emergency_notice::press_accepted, emergency_notice::press_not_accepted})
    for (const auto lang : {language::ja, language::en})
      for (const auto role : {contact_role::family, contact_role::provider}) {
        auto f = facts_of(kind, lang, role);
        f.press->test = true;
        f.press->source = press_source::drill;
        f.press->button.clear();
        check_golden("drill_" + file_name(f), shown(compose_emergency(f)));
      }
}

TEST_CASE("what is told of the centre at once: on its way, has it, none, not confirmed") {
  auto f = facts_of(emergency_notice::press, language::en, contact_role::family);
  const auto body = [&f] { return compose_emergency(f).body; };
  CHECK(body().find("has not confirmed it yet") != std::string::npos);
  f.press->was_undelivered = true;
  CHECK(body().find("has NOT confirmed") != std::string::npos);
  f.press = a_press(true);
  CHECK(body().find("has confirmed that it has the call") != std::string::npos);
  f.press = a_press(false);
  f.has_centre = false;
  CHECK(body().find("Nobody else has been told") != std::string::npos);
}

TEST_CASE("a press heard of late, or made by a box without a clock, says so") {
  auto f = facts_of(emergency_notice::press, language::en, contact_role::family);
  f.press->known = *f.press->occurred + 11min;
  CHECK(compose_emergency(f).body.find("We heard of it only on Sat, Nov 21, 21:31:05.") != std::string::npos);
  f.press->occurred.reset();
  CHECK(compose_emergency(f).body.find("The box did not know the time.") != std::string::npos);
}

TEST_CASE("any facts: no claim that is not true, every drill marked, no name adds a line") {
  const auto seed = GENERATE(range(1u, 400u));
  CAPTURE(seed);
  prng random{seed};
  const auto noise = [&random] {
    static constexpr std::array<std::string_view, 7> parts{"\r\n", "\n", "a", "\u202e", "\xff", "山", "Bcc: x"};
    std::string out;
    for (auto n = random.below(6); n > 0; --n) out += parts[random.below(parts.size())];
    return out;
  };
  const auto kind = static_cast<emergency_notice>(1 + random.below(11));
  auto f = facts_of(kind, random.below(2) == 0 ? language::ja : language::en,
                    random.below(2) == 0 ? contact_role::family : contact_role::provider);
  f.has_centre = random.below(2) == 0;
  if (random.below(3) == 0) f.press = a_press(random.below(2) == 0);
  if (random.below(6) == 0) f.press.reset();
  if (random.below(6) == 0) f.dispatch.reset();
  if (random.below(6) == 0) f.trouble.reset();
  if (f.press) f.press->test = random.below(2) == 0;
  const bool accepted = (f.press && f.press->stage == press_stage::accepted) || (f.dispatch && f.dispatch->accepted);
  const auto tame = compose_emergency(f);
  INFO(shown(tame));
  if (!accepted) CHECK_FALSE(claims_accepted(tame));
  const bool drill = (f.press && f.press->test) || f.drill;
  const auto first_line = tame.body.substr(0, tame.body.find('\n'));
  const auto marked = [](const std::string& text) {
    return text.find("DRILL") != std::string::npos || text.find("drill") != std::string::npos || text.find("訓練") != std::string::npos;
  };
  CHECK(marked(tame.subject) == drill);
  CHECK(marked(first_line) == drill);
  CHECK(tame.body.find("0A12") == std::string::npos);
  CHECK(tame.body.find("@") == std::string::npos);

  f.where.name = noise(), f.to.name = "x" + noise();
  if (f.press) f.press->button = noise();
  if (f.dispatch) f.dispatch->who = noise(), f.dispatch->reason = noise();
  const auto wild = compose_emergency(f);
  CHECK(one_line(wild.subject) == wild.subject);
  CHECK(plain_lines(wild.body) == wild.body);
  CHECK(std::ranges::count(wild.body, '\n') <= std::ranges::count(tame.body, '\n'));
}

}  // namespace tomoshibi::relay::test
