// The relay's health for a person: one page, large type, readable without colour, no script.
#include "protocol/adapters/stderr_log.hpp"
#include "relay/shell/relay_view.hpp"

namespace tomoshibi::relay {
namespace {

constexpr std::string_view head = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="30">
<title>Tomoshibi relay</title>
<style>
body { font: 1.2rem/1.6 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1b; background: #fff }
h1 { font-size: 1.6rem }
h2 { font-size: 1.3rem; margin-top: 2rem }
.state { border: .25rem solid; padding: .5rem 1rem; margin: 0 0 1.5rem; font-size: 1.4rem }
.state p, .state ul { margin: .25rem 0 }
.ok { border-color: #1b6e3c }
.degraded { border-color: #a33b00; border-style: dashed }
table { border-collapse: collapse; width: 100%; margin-bottom: 1rem }
th, td { text-align: left; padding: .3rem .5rem; border-bottom: 1px solid #bbb; font-weight: normal }
td, .n { text-align: right; font-variant-numeric: tabular-nums }
table [lang=ja] { display: inline-block }
</style>
</head>
<body>
<main>
<h1>Tomoshibi relay</h1>
)";

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

// "2026-01-31 08:15:00 UTC", which a narrow page may break behind the date.
std::string time_text(wall_at t) {
  const std::string utc = format_utc(t);
  return utc.substr(0, 10) + " " + utc.substr(11, 8) + "\u00a0UTC";
}

void row(std::string& out, std::string_view what, const std::string& value) {
  out += "<tr><th scope=\"row\">";
  out += what;
  out += "</th><td>" + escaped(value) + "</td></tr>\n";
}

std::string_view words_for(episode_kind kind) {
  switch (kind) {
    case episode_kind::unused:
      return "Open: appliance not used <span lang=\"ja\">使われていない家電</span>";
    case episode_kind::blind_family:
      return "Open: home not seen, family told <span lang=\"ja\">見守れない家（家族）</span>";
    case episode_kind::blind_provider:
      return "Open: home not seen, provider told <span lang=\"ja\">見守れない家（事業者）</span>";
    case episode_kind::device_fault:
      return "Open: device reports a fault <span lang=\"ja\">機器の故障</span>";
    case episode_kind::device_silent:
      return "Open: device does not answer <span lang=\"ja\">応答のない機器</span>";
  }
  return "Open: other";
}

void state(std::string& out, const relay_view& v) {
  const auto reasons = degraded_reasons(v);
  if (reasons.empty()) {
    out += "<p class=\"state ok\" role=\"status\">OK <span lang=\"ja\">正常</span></p>\n";
    return;
  }
  out += "<div class=\"state degraded\" role=\"status\"><p>Needs attention <span lang=\"ja\">要確認</span></p>\n<ul>\n";
  for (const auto& reason : reasons) out += "<li>" + escaped(reason) + "</li>\n";
  out += "</ul></div>\n";
}

}  // namespace

std::string health_page(const relay_view& v) {
  const auto& c = v.core;
  std::string out{head};
  state(out, v);
  out += "<table>\n";
  row(out, "Gateways up <span lang=\"ja\">接続中の中継装置</span>",
      std::to_string(c.gateways_up) + " of " + std::to_string(c.gateways));
  row(out, "Gateways down <span lang=\"ja\">通信の途切れ</span>", std::to_string(c.gateways_down));
  row(out, "Homes watched <span lang=\"ja\">見守り中の家</span>", std::to_string(c.homes_watched));
  for (std::size_t kind = 1; kind < c.episodes_open.size(); ++kind) {
    row(out, words_for(static_cast<episode_kind>(kind)), std::to_string(c.episodes_open[kind]));
  }
  row(out, "Slots stored since the start <span lang=\"ja\">記録した枠</span>", std::to_string(c.slots_stored));
  row(out, "Mails waiting <span lang=\"ja\">送信待ちのメール</span>", std::to_string(c.mails_queued));
  row(out, "Mails sent since the start <span lang=\"ja\">送信したメール</span>", std::to_string(c.mails_sent));
  row(out, "Oldest mail trying to leave, since <span lang=\"ja\">送信を待つ最も古いメール</span>",
      c.oldest_mail ? time_text(*c.oldest_mail) : "none");
  row(out, "Last commit took <span lang=\"ja\">直近の書き込み</span>",
      std::to_string(v.commits.last().count() / 1000) + " ms");
  row(out, "Running since <span lang=\"ja\">起動</span>", time_text(v.started));
  row(out, "Time now <span lang=\"ja\">現在</span>", time_text(v.now));
  row(out, "Version <span lang=\"ja\">版</span>", v.version);
  out += "</table>\n" + emergency_block(v);
  out += "<p><a href=\"/healthz\">healthz</a> · <a href=\"/metrics\">metrics</a></p>\n</main>\n</body>\n</html>\n";
  return out;
}

}  // namespace tomoshibi::relay
