// The emergency part on the health page, and what of it needs somebody's eyes.
#include "relay/shell/relay_view.hpp"

#include <array>

namespace tomoshibi::relay {
namespace {

std::string counted(std::uint64_t n, const char* one, const char* many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}

void row(std::string& out, std::string_view what, const std::string& value) {
  out += "<tr><th scope=\"row\">";
  out += what;
  out += "</th><td>" + value + "</td></tr>\n";
}

std::string_view link_words(const emergency_health& h) {
  if (!h.centre_set) return "none set up";
  return h.link == dc09::link_state::up ? "answers" : h.link == dc09::link_state::down ? "DOES NOT ANSWER" : "not asked yet";
}

std::string milliseconds(std::uint64_t us) { return std::to_string(us / 1000) + "." + std::to_string(us % 1000 / 100) + "\u00a0ms"; }

std::string_view hop_words(press_hop hop) {
  switch (hop) {
    case press_hop::durable: return "saved by the box <span lang=\"ja\">装置に記録</span>";
    case press_hop::stored: return "stored by the relay <span lang=\"ja\">サービスが記録</span>";
    case press_hop::centre: return "guard centre <span lang=\"ja\">ガードセンター</span>";
    case press_hop::direct: return "guard centre, direct <span lang=\"ja\">直接の経路</span>";
    case press_hop::shown: return "shown <span lang=\"ja\">表示</span>";
    case press_hop::to_ack: return "press to ACK <span lang=\"ja\">受理まで</span>";
    case press_hop::whole: break;
  }
  return "in all <span lang=\"ja\">全体</span>";
}

// Three columns: more do not fit a phone.
void delay_table(std::string& out, std::string_view title, const std::array<delay_histogram, press_hops>& hops) {
  std::string rows;
  for (std::size_t i = 0; i < press_hops; ++i) {
    const auto& h = hops[i];
    if (h.count() == 0) continue;
    rows += "<tr><th scope=\"row\">" + std::string(hop_words(static_cast<press_hop>(i))) + "</th><td>" +
            milliseconds(h.sum_us() / h.count()) + "</td><td>" + milliseconds(h.max_us()) + "</td></tr>\n";
  }
  if (rows.empty()) return;
  out += "<table>\n<tr><th scope=\"col\">" + std::string(title) +
         "</th><th scope=\"col\" class=\"n\">mean</th><th scope=\"col\" class=\"n\">max</th></tr>\n" + rows + "</table>\n";
}

}  // namespace

std::string emergency_block(const relay_view& v) {
  if (!v.emergency) return {};
  const auto& h = *v.emergency;
  std::string out = "<h2>Emergency <span lang=\"ja\">緊急通報</span></h2>\n<table>\n";
  row(out, "Guard centre <span lang=\"ja\">ガードセンター</span>", std::string(link_words(h)));
  row(out, "Lanes that stand <span lang=\"ja\">接続中の専用線</span>", std::to_string(h.lanes_up));
  row(out, "Lanes lost <span lang=\"ja\">専用線の途切れ</span>", std::to_string(h.lines_lost));
  row(out, "Presses since the start <span lang=\"ja\">通報</span>", std::to_string(h.presses));
  row(out, "Not acknowledged yet <span lang=\"ja\">未受理の通報</span>", std::to_string(h.presses_unaccepted));
  row(out, "Of them, for longer than 30 s <span lang=\"ja\">うち30秒超</span>", std::to_string(h.presses_late));
  if (v.receipts.count() != 0)
    row(out, "Stored by this relay in, p99 <span lang=\"ja\">記録までの時間 (p99)</span>", milliseconds(v.receipts.recent().p99_us));
  row(out, "Drills since the start <span lang=\"ja\">訓練</span>", std::to_string(h.drills));
  row(out, "Visits asked for, not acknowledged <span lang=\"ja\">未受理の訪問依頼</span>", std::to_string(h.dispatches_open));
  row(out, "Troubles of boxes and buttons <span lang=\"ja\">装置とボタンの不具合</span>", std::to_string(h.troubles_open));
  out += "</table>\n";
  delay_table(out, "Time of each hop, presses <span lang=\"ja\">通報の時間</span>", h.delays.real);
  delay_table(out, "Time of each hop, drills <span lang=\"ja\">訓練の時間</span>", h.delays.drills);
  return out;
}

void add_emergency_reasons(const relay_view& v, std::vector<std::string>& out) {
  if (!v.emergency) return;
  const auto& h = *v.emergency;
  if (h.presses_late != 0)
    out.push_back(counted(h.presses_late, "press is", "presses are") + " NOT ACKNOWLEDGED by the guard centre");
  if (h.dispatches_late != 0)
    out.push_back(counted(h.dispatches_late, "request for a visit is", "requests for a visit are") +
                  " NOT ACKNOWLEDGED by the guard centre");
  if (h.centre_set && h.link == dc09::link_state::down) out.emplace_back("the guard centre does not answer");
  if (h.centre_set && h.homes_without_centre != 0)
    out.push_back(counted(h.homes_without_centre, "home has", "homes have") + " no account at the guard centre");
  if (h.commit_failing) out.emplace_back("the emergency book's last commit failed and is tried again");
  if (h.book_lost != book_loss::none) out.emplace_back(words_of(h.book_lost));
  if (h.troubles_open != 0) out.push_back(counted(h.troubles_open, "trouble", "troubles") + " of boxes or buttons open");
  if (h.lines_lost != 0) out.push_back(counted(h.lines_lost, "home has", "homes have") + " lost the emergency lane");
  if (h.oldest_mail && v.now - *h.oldest_mail > mail_age_fine_max)
    out.emplace_back("an emergency mail has been trying to leave for more than 15 min");
  if (h.mails_given_up != 0) out.push_back(counted(h.mails_given_up, "emergency mail was", "emergency mails were") + " given up");
}

}  // namespace tomoshibi::relay
