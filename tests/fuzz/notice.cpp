// A notice about any home in any state, to anybody: one line of subject, a letter of whole lines, no name can add a line or
// an address, and the mail made from it is taken.
#include "protocol/base/check.hpp"
#include "relay/core/mail_text.hpp"
#include "relay/core/mime.hpp"
#include "relay/core/plain_text.hpp"
#include "tests/fuzz/input.hpp"

using namespace tomoshibi;
using namespace tomoshibi::relay;

namespace {

constexpr const char* address = "secret.reader@example.org";

slot_index any_slot(fuzz::input& in) { return {static_cast<std::int32_t>(in.number() % (wire::slot_value_max + 1u))}; }
wall_at any_wall(fuzz::input& in) { return start_of(any_slot(in)) + millis{in.u16()}; }

notice_facts any_facts(fuzz::input& in) {
  notice_facts f;
  f.where.id = home_id{in.u32()};
  f.where.name = in.text(90);
  f.where.zone_min = (static_cast<std::int32_t>(in.below(105)) - 48) * 15;
  f.where.watch_since = any_wall(in);
  f.where.blind_family_after = millis{in.number() % (30ull * 86'400'000)};
  f.where.blind_provider_after = millis{in.number() % (30ull * 86'400'000)};
  f.to.role = in.flag() ? contact_role::family : contact_role::provider;
  f.to.lang = in.flag() ? language::ja : language::en;
  f.to.name = in.text(90);
  f.to.address = address;
  f.edge = in.any_of(mail_edge::test);
  f.what.key.kind = in.any_of(episode_kind::device_silent);
  f.what.key.appliance = static_cast<appliance_id>(in.u8());
  f.what.key.since = any_slot(in);
  if (in.flag()) f.what.last_use = any_slot(in);
  f.what.off_slots = static_cast<std::int32_t>(in.u16());
  f.what.unknown_slots = static_cast<std::int32_t>(in.u16());
  f.what.cause = static_cast<blind_cause>(in.below(6));
  f.what.opened = any_wall(in);
  if (in.flag()) f.what.closed = any_wall(in);
  if (in.flag()) f.what.closed_by = any_slot(in);
  f.appliance_label = in.text(60);
  f.others.resize(in.below(20));
  for (auto& o : f.others) {
    o.label = in.text(60);
    if (in.flag()) o.last_use = any_slot(in);
    o.visible = in.flag();
  }
  for (auto n = in.below(3); n > 0; --n) f.gateways.push_back(*gateway_id::parse("box-1"));
  f.now = any_wall(in);
  return f;
}

std::size_t lines_of(std::string_view text) { return static_cast<std::size_t>(std::ranges::count(text, '\n')); }

// Every name replaced by one that cannot do harm: the letter must keep its number of lines.
void tame(notice_facts& f) {
  const auto plain = [](std::string& name) {
    if (!one_line(name).empty()) name = "x";
  };
  plain(f.where.name);
  plain(f.to.name);
  plain(f.appliance_label);
  for (auto& o : f.others) plain(o.label);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in{data, size};
  notice_facts facts = any_facts(in);
  const auto text = compose_notice(facts);
  TOMO_REQUIRE(!text.subject.empty() && one_line(text.subject) == text.subject);
  TOMO_REQUIRE(text.body.ends_with('\n') && plain_lines(text.body) == text.body);
  TOMO_REQUIRE(text.body.find(address) == std::string::npos && text.subject.find(address) == std::string::npos);

  mail_content content;
  content.from_address = "watch@example.org";
  content.to_address = facts.to.address;
  content.to_name = facts.to.name;
  content.subject = text.subject;
  content.body = text.body;
  content.message_id = "id@example.org";
  content.date = facts.now;
  TOMO_REQUIRE(build_mail(content).has_value());

  tame(facts);
  TOMO_REQUIRE(lines_of(compose_notice(facts).body) == lines_of(text.body));
  return 0;
}
