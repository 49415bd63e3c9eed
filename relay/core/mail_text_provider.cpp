// Terse notices to the provider, ids first, and the test mail to anybody.
//
// The field names are the same in both languages: a provider's ticket system may read them.
#include "relay/core/mail_text_parts.hpp"
#include "relay/core/plain_text.hpp"

namespace tomoshibi::relay::mail_text_parts {
namespace {

struct words {
  std::string_view opened;
  std::string_view closed;
};

std::string_view kind_name(episode_kind kind) {
  switch (kind) {
    case episode_kind::unused: return "unused";
    case episode_kind::blind_family: return "blind_family";
    case episode_kind::blind_provider: return "blind_provider";
    case episode_kind::device_fault: return "device_fault";
    case episode_kind::device_silent: break;
  }
  return "device_silent";
}

std::string_view cause_name(blind_cause cause) {
  switch (cause) {
    case blind_cause::line_down: return "line_down";
    case blind_cause::gateway_off: return "gateway_off";
    case blind_cause::device_silent: return "device_silent";
    case blind_cause::relay_off: return "relay_off";
    case blind_cause::no_data: return "no_data";
    case blind_cause::none: break;
  }
  return "none";
}

words words_ja(episode_kind kind) {
  switch (kind) {
    case episode_kind::unused: return {"家電の利用が途絶えています", "家電がまた使われました"};
    case episode_kind::blind_family:
    case episode_kind::blind_provider: return {"宅内を確認できません", "宅内をまた確認できます"};
    case episode_kind::device_fault: return {"機器が異常を通知しています", "機器の異常通知が解消しました"};
    case episode_kind::device_silent: break;
  }
  return {"機器が応答しません", "機器がまた応答しています"};
}

words words_en(episode_kind kind) {
  switch (kind) {
    case episode_kind::unused: return {"appliance unused", "appliance used again"};
    case episode_kind::blind_family:
    case episode_kind::blind_provider: return {"home cannot be seen", "home can be seen again"};
    case episode_kind::device_fault: return {"device reports a fault", "device fault cleared"};
    case episode_kind::device_silent: break;
  }
  return {"device does not answer", "device answers again"};
}

void field(std::string& out, std::string_view key, std::string_view value) {
  out += joined({key, ": ", value, "\n"});
}

std::string ids_text(const shown_facts& f) {
  std::string gateways;
  for (const auto& id : f.facts->gateways) gateways += (gateways.empty() ? "" : " ") + id.text();
  std::string out;
  field(out, "home", std::to_string(static_cast<std::uint32_t>(f.facts->where.id)));
  field(out, "gateway", gateways.empty() ? "-" : gateways);
  const auto appliance = static_cast<unsigned>(f.facts->what.key.appliance);
  if (appliance != 0) field(out, "appliance", joined({std::to_string(appliance), " ", f.appliance}));
  return out;
}

std::string unused_fields(const shown_facts& f) {
  const auto& e = f.facts->what;
  std::string out;
  field(out, "last_use", e.last_use ? f.time.slot(*e.last_use) : "none");
  field(out, "off_slots", std::to_string(e.off_slots));
  field(out, "unknown_slots", std::to_string(e.unknown_slots));
  return out;
}

}  // namespace

notice_text provider_text(const shown_facts& f) {
  const auto& e = f.facts->what;
  const bool opened = f.facts->edge == mail_edge::opened;
  const bool ja = f.facts->to.lang == language::ja;
  const auto w = ja ? words_ja(e.key.kind) : words_en(e.key.kind);
  const auto what = opened ? w.opened : w.closed;
  const auto home = std::to_string(static_cast<std::uint32_t>(f.facts->where.id));

  std::string body = joined({what, "\n\n"});
  field(body, "kind", kind_name(e.key.kind));
  field(body, "edge", opened ? "opened" : "closed");
  body += ids_text(f);
  field(body, "since", f.time.moment(start_of(e.key.since)));
  if (!opened) field(body, "until", f.time.moment(stretch_end(e, f.facts->now)));
  field(body, "duration", f.time.duration((opened ? f.facts->now : stretch_end(e, f.facts->now)) - start_of(e.key.since)));
  if (e.cause != blind_cause::none) field(body, "cause", cause_name(e.cause));
  if (e.key.kind == episode_kind::unused) body += unused_fields(f);
  field(body, "written", f.time.moment(f.facts->now));
  field(body, "zone", f.time.zone());
  return {joined({"[Tomoshibi] ", opened ? "OPEN" : "CLOSED", " home ", home, ": ", what}), body};
}

notice_text test_text(const shown_facts& f) {
  const bool provider = f.facts->to.role == contact_role::provider || f.home.empty();
  if (f.facts->to.lang == language::ja) {
    const auto whose = provider ? std::string{"見守りサービス「ともしび」"} : joined({"「", f.home, "」の見守り"});
    return {"【ともしび】テストメールです",
            joined({f.reader.empty() ? "" : f.reader + " 様\n\n", whose, "からのお知らせが届くかどうかを確かめるメールです。\n",
                    "何かが起きたわけではありません。\n\n", "このメールを読んでいただけていれば、準備は整っています。\n\n",
                    "送信：", f.time.moment(f.facts->now), "（", f.time.zone(), "）\n"})};
  }
  const auto whose = provider ? std::string{"the Tomoshibi watch service"} : joined({"the watch over ", f.home});
  return {"[Tomoshibi] Test message",
          joined({f.reader.empty() ? "" : joined({"Dear ", f.reader, ",\n\n"}),
                  "This message checks that notices from ", whose, " reach you.\nNothing has happened.\n\n",
                  "If you can read it, everything is ready.\n\n", "Sent: ", f.time.moment(f.facts->now), " (",
                  f.time.zone(), ")\n"})};
}

}  // namespace tomoshibi::relay::mail_text_parts
