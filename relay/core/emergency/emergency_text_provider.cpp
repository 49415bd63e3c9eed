// Terse emergency mails to the provider, ids first. The field names are the same in both languages: a ticket system may read
// them. Times with seconds, in the home's zone.
#include "protocol/dc09/press_signal.hpp"
#include "relay/core/emergency/emergency_text_parts.hpp"
#include "relay/core/plain_text.hpp"

namespace tomoshibi::relay::emergency_text_parts {
namespace {

using mail_text_parts::joined;

std::string_view title_ja(emergency_notice kind) {
  switch (kind) {
    case emergency_notice::press: return "非常ボタンが押されました";
    case emergency_notice::press_accepted: return "ガードセンターが通報を受け取りました";
    case emergency_notice::press_not_accepted: return "ガードセンターの受け取りを確認できません";
    case emergency_notice::press_no_centre: return "非常ボタンが押されましたが、ガードセンターの設定がありません";
    case emergency_notice::trouble: return "中継装置の不具合";
    case emergency_notice::trouble_ended: return "中継装置の不具合が解消しました";
    case emergency_notice::event_refused: return "ガードセンターが通知を拒みました";
    case emergency_notice::dispatch: return "訪問の依頼";
    case emergency_notice::dispatch_accepted: return "ガードセンターが訪問の依頼を受け取りました";
    case emergency_notice::dispatch_not_accepted: return "訪問の依頼の受け取りを確認できません";
    case emergency_notice::drill_unanswered: break;
  }
  return "訓練に応答がありません";
}

std::string_view title_en(emergency_notice kind) {
  switch (kind) {
    case emergency_notice::press: return "emergency button pressed";
    case emergency_notice::press_accepted: return "the guard centre has the press";
    case emergency_notice::press_not_accepted: return "NOT accepted by the guard centre";
    case emergency_notice::press_no_centre: return "emergency button pressed, no guard centre set up";
    case emergency_notice::trouble: return "trouble of the box";
    case emergency_notice::trouble_ended: return "trouble of the box is over";
    case emergency_notice::event_refused: return "the guard centre refused an event";
    case emergency_notice::dispatch: return "a visit was asked for";
    case emergency_notice::dispatch_accepted: return "the guard centre has the request for a visit";
    case emergency_notice::dispatch_not_accepted: return "request for a visit NOT accepted by the guard centre";
    case emergency_notice::drill_unanswered: break;
  }
  return "drill not answered";
}

// ALARM: somebody of the provider's has to act now.
std::string_view mark_of(const shown_emergency& f) {
  using enum emergency_notice;
  if (f.drill) return "DRILL";
  switch (f.facts->kind) {
    case press_not_accepted:
    case press_no_centre:
    case event_refused:
    case dispatch_not_accepted:
    case drill_unanswered: return "ALARM";
    case trouble:
    case trouble_ended: return "TROUBLE";
    case press:
    case press_accepted:
    case dispatch:
    case dispatch_accepted: break;
  }
  return "EMERGENCY";
}

void field(std::string& out, std::string_view key, std::string_view value) { out += joined({key, ": ", value, "\n"}); }

void press_fields(const shown_emergency& f, std::string& out) {
  const auto& p = *f.facts->press;
  field(out, "press", dc09::reference_of(p.id));
  field(out, "source", name_of(p.source));
  if (!p.button.empty()) field(out, "button", one_line(p.button));
  field(out, "occurred", p.occurred ? f.time.second(*p.occurred) : "unknown");
  field(out, "known", f.time.second(p.known));
  field(out, "guard_centre", p.stage == press_stage::accepted ? "accepted" : f.facts->has_centre ? "not accepted yet" : "none");
  if (p.accepted) field(out, "accepted", f.time.second(*p.accepted));
  if (p.was_undelivered) field(out, "panel", "said not delivered");
}

void event_fields(const shown_emergency& f, std::string& out) {
  const auto& e = *f.facts->event;
  field(out, "event", dc09::words_of(e.what.what));
  field(out, "reference", one_line(e.reference));
  field(out, "made", f.time.second(e.made));
  field(out, "todo", "ask the guard centre whether it knows this account and this event");
}

void trouble_fields(const shown_emergency& f, std::string& out) {
  const auto& t = *f.facts->trouble;
  field(out, "trouble", name_of(t.kind));
  if (!t.button.empty()) field(out, "button", one_line(t.button));
  field(out, "since", f.time.second(t.since));
  if (t.ended) field(out, "until", f.time.second(*t.ended));
}

void dispatch_fields(const shown_emergency& f, std::string& out) {
  const auto& d = *f.facts->dispatch;
  field(out, "dispatch", dc09::reference_of(press_id{static_cast<std::uint64_t>(d.id)}));
  field(out, "who", one_line(d.who));
  field(out, "reason", one_line(d.reason));
  field(out, "asked", f.time.second(d.asked));
  field(out, "guard_centre", d.accepted ? "accepted" : "not accepted yet");
  if (d.accepted) field(out, "accepted", f.time.second(*d.accepted));
}

void drill_fields(const shown_emergency& f, std::string& out) {
  const auto& d = *f.facts->drill;
  field(out, "asked", f.time.second(d.asked));
  field(out, "answer", f.facts->press ? "the guard centre did not acknowledge it" : "no press came from the gateway");
}

}  // namespace

notice_text emergency_provider(const shown_emergency& f) {
  const auto& facts = *f.facts;
  const bool ja = facts.to.lang == language::ja;
  const bool drill_press = f.drill && facts.kind == emergency_notice::press;
  const auto title = drill_press ? (ja ? "訓練の通報" : "drill press") : ja ? title_ja(facts.kind) : title_en(facts.kind);
  const auto home = std::to_string(static_cast<std::uint32_t>(facts.where.id));
  std::string body;
  if (f.drill) body += ja ? "訓練です。\n" : "This is a drill.\n";
  body += joined({title, "\n\n"});
  field(body, "kind", name_of(facts.kind));
  field(body, "drill", f.drill ? "yes" : "no");
  field(body, "home", home);
  std::string gateways;
  for (const auto& id : facts.gateways) gateways += (gateways.empty() ? "" : " ") + id.text();
  field(body, "gateway", gateways.empty() ? "-" : gateways);
  if (facts.press) press_fields(f, body);
  if (facts.event) event_fields(f, body);
  if (facts.trouble) trouble_fields(f, body);
  if (facts.dispatch) dispatch_fields(f, body);
  if (facts.drill) drill_fields(f, body);
  field(body, "written", f.time.second(facts.now));
  field(body, "zone", f.time.zone());
  return {joined({"[Tomoshibi] ", mark_of(f), " home ", home, ": ", title}), body};
}

}  // namespace tomoshibi::relay::emergency_text_parts
