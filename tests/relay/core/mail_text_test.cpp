// Goal: every notice says exactly the words in tests/relay/golden, for each kind, edge, language and reader.
// After a wanted change of words run this test with TOMOSHIBI_WRITE_GOLDEN=1 and read the difference.
#include "relay/core/mail_text.hpp"

#include "protocol/base/prng.hpp"
#include "relay/core/plain_text.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

using namespace tomoshibi;
using namespace tomoshibi::relay;

namespace {

wall_at utc(unsigned month, unsigned day, int hour, int minute) {
  using namespace std::chrono;
  return sys_days{2026y / std::chrono::month{month} / std::chrono::day{day}} + hours{hour} + minutes{minute};
}

notice_facts facts_of(episode_kind kind, mail_edge edge, language lang, contact_role role) {
  notice_facts f;
  const bool ja = lang == language::ja;
  f.where = {.id = home_id{12}, .name = ja ? "山田様宅" : "Mrs Yamada's home", .zone_min = 540, .watch_mode = true,
             .watch_since = utc(10, 1, 0, 0)};
  f.to = {.id = contact_id{3}, .home = home_id{12}, .role = role, .name = ja ? "山田 太郎" : "Taro Yamada",
          .address = "taro@example.org", .lang = lang, .quiet = {}};
  f.edge = edge;
  f.now = utc(11, 21, 12, 20);
  f.gateways = {*gateway_id::parse("box-0012")};
  f.what.key = {.home = home_id{12}, .kind = kind, .appliance = appliance_id{1}, .since = slot_of(utc(11, 18, 12, 15))};
  f.appliance_label = ja ? "テレビ" : "TV";
  if (kind == episode_kind::unused) {
    f.what.last_use = slot_of(utc(11, 18, 12, 0));
    f.what.off_slots = 288;
    f.what.unknown_slots = 5;
  } else if (kind == episode_kind::blind_family || kind == episode_kind::blind_provider) {
    f.what.cause = blind_cause::line_down;
    f.what.key.appliance = {};
    f.appliance_label.clear();
  }
  f.what.opened = f.now;
  if (edge == mail_edge::closed) {
    f.what.closed = utc(11, 21, 12, 16);
    f.what.closed_by = slot_of(utc(11, 21, 12, 0));
  }
  f.others = {{ja ? "炊飯器" : "Rice cooker", slot_of(utc(11, 20, 22, 15)), true},
              {ja ? "電子レンジ" : "Microwave", {}, true},
              {ja ? "冷蔵庫の扉" : "Fridge door", slot_of(utc(11, 19, 3, 0)), false}};
  return f;
}

std::string shown(const notice_text& text) { return "Subject: " + text.subject + "\n\n" + text.body; }

void check_golden(const std::string& name, const std::string& text) {
  const std::string path = "tests/relay/golden/" + name + ".txt";
  if (std::getenv("TOMOSHIBI_WRITE_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ifstream file(path);
  REQUIRE(file);
  std::stringstream golden;
  golden << file.rdbuf();
  INFO(path);
  CHECK(text == golden.str());
}

struct named_kind {
  episode_kind kind;
  std::string name;
};
const std::vector<named_kind> kinds{{episode_kind::unused, "unused"},
                                    {episode_kind::blind_family, "blind_family"},
                                    {episode_kind::blind_provider, "blind_provider"},
                                    {episode_kind::device_fault, "device_fault"},
                                    {episode_kind::device_silent, "device_silent"}};

}  // namespace

TEST_CASE("every notice has its golden text") {
  for (const auto& [kind, name] : kinds) {
    for (const bool opened : {true, false}) {
      for (const bool ja : {true, false}) {
        for (const bool family : {true, false}) {
          if (kind == episode_kind::blind_family && !family) continue;
          if (kind == episode_kind::blind_provider && family) continue;
          const auto facts = facts_of(kind, opened ? mail_edge::opened : mail_edge::closed,
                                      ja ? language::ja : language::en,
                                      family ? contact_role::family : contact_role::provider);
          check_golden(name + (opened ? "_opened" : "_closed") + (ja ? "_ja" : "_en") + (family ? "" : "_provider"),
                       shown(compose_notice(facts)));
        }
      }
    }
  }
}

TEST_CASE("the test mail has its golden text") {
  for (const bool ja : {true, false}) {
    auto facts = facts_of(episode_kind::unused, mail_edge::test, ja ? language::ja : language::en, contact_role::family);
    check_golden(std::string{"test"} + (ja ? "_ja" : "_en"), shown(compose_notice(facts)));
  }
}

TEST_CASE("every cause of being blind has words of its own") {
  for (const bool ja : {true, false}) {
    std::vector<std::string> seen;
    for (auto cause : {blind_cause::line_down, blind_cause::gateway_off, blind_cause::device_silent,
                       blind_cause::relay_off, blind_cause::no_data}) {
      auto facts = facts_of(episode_kind::blind_family, mail_edge::opened, ja ? language::ja : language::en,
                            contact_role::family);
      facts.what.cause = cause;
      const auto text = compose_notice(facts).body;
      CHECK(std::ranges::find(seen, text) == seen.end());
      seen.push_back(text);
    }
  }
}

TEST_CASE("without any use since watching began the day it began is named") {
  auto facts = facts_of(episode_kind::unused, mail_edge::opened, language::ja, contact_role::family);
  facts.what.last_use.reset();
  facts.what.unknown_slots = 0;
  facts.others.clear();
  facts.to.name.clear();
  check_golden("unused_never_ja", shown(compose_notice(facts)));
  facts.to.lang = language::en;
  check_golden("unused_never_en", shown(compose_notice(facts)));
}

TEST_CASE("the number of days is the rule's") {
  auto facts = facts_of(episode_kind::unused, mail_edge::opened, language::en, contact_role::family);
  facts.what.off_slots = 96;
  CHECK(compose_notice(facts).subject == "[Tomoshibi] Mrs Yamada's home: \"TV\" not used for 1 day");
  facts.what.off_slots = 60 * 96;
  CHECK(compose_notice(facts).subject == "[Tomoshibi] Mrs Yamada's home: \"TV\" not used for 60 days");
}

TEST_CASE("a long list of appliances is cut and counted") {
  auto facts = facts_of(episode_kind::unused, mail_edge::opened, language::en, contact_role::family);
  facts.others.assign(others_shown_max + 3, {"Lamp", {}, true});
  CHECK(compose_notice(facts).body.find("* and 3 more\n") != std::string::npos);
}

TEST_CASE("no name can add a line, whatever its bytes") {
  const auto seed = GENERATE(range(1u, 40u));
  CAPTURE(seed);
  prng random{seed};
  const auto noise = [&random] {
    static constexpr std::string_view parts[] = {"\r\n", "\n", "a", "\0", "\u202e", "\xff", "山", "👵", "Bcc: x"};
    std::string out;
    for (auto n = random.below(12); n > 0; --n) out += parts[random.below(std::size(parts))];
    return out;
  };
  for (const auto& [kind, name] : kinds) {
    for (auto role : {contact_role::family, contact_role::provider}) {
      auto facts = facts_of(kind, mail_edge::opened, random.chance(500) ? language::ja : language::en, role);
      const auto usual_body = compose_notice(facts).body;
      const auto usual = std::ranges::count(usual_body, '\n');
      facts.where.name = noise() + "x";
      if (!facts.appliance_label.empty()) facts.appliance_label = noise() + "x";
      facts.to.name = noise() + "x";
      for (auto& other : facts.others) other.label = noise();
      const auto text = compose_notice(facts);
      CHECK(std::ranges::count(text.body, '\n') == usual);
      CHECK(text.subject.find_first_of(std::string_view{"\r\n\0", 3}) == std::string::npos);
      CHECK(valid_utf8(text.body));
      CHECK(text.body.find("taro@example.org") == std::string::npos);
    }
  }
}
