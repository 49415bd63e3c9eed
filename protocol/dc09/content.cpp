#include "protocol/dc09/content.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace tomoshibi::dc09 {
namespace {

// A restored state has two SIA codes in use, "returned to normal" (R) and "alarm restored" (H): we write the first.
struct row {
  event what;
  unsigned cid;
  const char* sia;            // null: none
  const char* sia_restored;   // null: nothing to restore
  const char* sia_also;       // read, never written
  std::string_view words;
};

// Where two events share a SIA code (GA, KA) the first row is what it is read as.
constexpr row table[] = {
    {event::personal_emergency, 101, "QA", "QR", "QH", "personal emergency"},
    {event::medical, 100, "MA", "MR", "MH", "medical"},
    {event::inactivity, 654, "NA", "NS", nullptr, "no activity"},
    {event::check_in_missed, 102, nullptr, nullptr, nullptr, "daily check-in missed"},
    {event::panic, 120, "PA", "PR", "PH", "panic"},
    {event::silent_panic, 122, "HA", "HR", "HH", "silent panic"},
    {event::fire, 110, "FA", "FR", "FH", "fire"},
    {event::smoke, 111, "FA", "FR", "FH", "smoke"},
    {event::heat, 114, "KA", "KR", "KH", "heat"},
    {event::gas, 151, "GA", "GR", "GH", "gas"},
    {event::carbon_monoxide, 162, "GA", "GR", "GH", "carbon monoxide"},
    {event::water, 154, "WA", "WR", "WH", "water"},
    {event::hot, 158, "KA", "KR", "KH", "room too hot"},
    {event::cold, 159, "ZA", "ZR", "ZH", "room too cold"},
    {event::mains_lost, 301, "AT", "AR", nullptr, "mains lost"},
    {event::battery_low, 302, "YT", "YR", nullptr, "battery low"},
    {event::test_failed, 309, nullptr, nullptr, nullptr, "battery test failed"},
    {event::supervision_lost, 381, nullptr, nullptr, nullptr, "sensor not heard of"},
    {event::sensor_battery, 384, "XT", "XR", nullptr, "sensor battery low"},
    {event::tamper, 383, "TA", "TR", nullptr, "sensor tampered with"},
    {event::path_failed, 350, "YC", "YK", nullptr, "line to the home lost"},
    {event::communication_failed, 354, "YS", nullptr, nullptr, "failed to communicate"},
    {event::periodic_test, 602, "RP", nullptr, nullptr, "periodic test"},
    {event::manual_test, 601, "RX", nullptr, nullptr, "manual test"},
    {event::reset, 305, "RR", nullptr, nullptr, "restarted"},
    {event::clock_set, 625, "JT", nullptr, nullptr, "clock set"},
    {event::cancelled, 406, "OC", nullptr, nullptr, "cancelled by the user"},
    {event::general_alarm, 140, "UA", "UR", "UH", "general alarm"},
};
static_assert(std::size(table) == static_cast<std::size_t>(last_event));

const row& row_of(event what) { return *std::ranges::find(table, what, &row::what); }

bool is(const char* code, std::string_view text) { return code != nullptr && text == code; }

std::optional<std::uint16_t> number(std::string_view text, std::size_t digits_max) {
  if (text.empty() || text.size() > digits_max) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return static_cast<std::uint16_t>(value);
}

// QEEE GG ZZZ, single blanks.
bool read_cid(std::string_view text, content& into) {
  if (text.size() != 11 || text[4] != ' ' || text[7] != ' ') return false;
  const auto q = number(text.substr(0, 1), 1), code = number(text.substr(1, 3), 3);
  const auto partition = number(text.substr(5, 2), 2), zone = number(text.substr(8, 3), 3);
  if (!q || !code || !partition || !zone || (*q != 1 && *q != 3 && *q != 6)) return false;
  into.how = static_cast<edge>(*q);
  into.code = text.substr(1, 3);
  into.partition = *partition;
  into.zone = *zone;
  const auto at = std::ranges::find(table, unsigned{*code}, &row::cid);
  if (at != std::end(table)) into.what = at->what;
  return true;
}

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

// ti12:34/ ri1/ id../ pi../ in any order; only the area counts for us.
bool read_modifiers(std::string_view& text, content& into) {
  while (text.size() >= 2 && is_lower(text[0]) && is_lower(text[1])) {
    const std::size_t end = text.find('/');
    if (end == std::string_view::npos) return false;
    if (text.starts_with("ri")) {
      const auto area = number(text.substr(2, end - 2), 4);
      if (!area) return false;
      into.partition = *area;
    }
    text.remove_prefix(end + 1);
  }
  return true;
}

void know_sia(content& into) {
  for (const row& r : table) {
    const bool restored = is(r.sia_restored, into.code) || is(r.sia_also, into.code);
    if (!restored && !is(r.sia, into.code)) continue;
    into.what = r.what;
    if (restored) into.how = edge::restored;
    return;
  }
}

bool read_sia(std::string_view text, content& into) {
  if (text.empty() || (text[0] != 'N' && text[0] != 'O')) return false;
  into.how = text[0] == 'N' ? edge::begun : edge::still;
  text.remove_prefix(1);
  if (!read_modifiers(text, into)) return false;
  if (text.size() < 2 || !is_upper(text[0]) || !is_upper(text[1])) return false;
  into.code = text.substr(0, 2);
  text.remove_prefix(2);
  const std::size_t end = std::min(text.find('^'), text.size());
  if (end > 0) {
    const auto zone = number(text.substr(0, end), 4);
    if (!zone) return false;
    into.zone = *zone;
  }
  text.remove_prefix(end);
  if (!text.empty() && (text.size() < 2 || text.find('^', 1) != text.size() - 1)) return false;
  know_sia(into);
  return true;
}

}  // namespace

std::string_view words_of(event what) { return row_of(what).words; }

bool is_test(event what) { return what == event::periodic_test || what == event::manual_test; }

read_result<std::string> write_content(token format, std::string_view account, const signal& s) {
  if (format != token::adm_cid && format != token::sia_dcs) return std::unexpected(fault::token);
  if (!is_hex(account, 3, 16)) return std::unexpected(fault::account);
  if (s.partition > partition_max || s.zone > zone_max) return std::unexpected(fault::content);
  const row& r = row_of(s.what);
  char text[32];
  if (format == token::adm_cid) {
    std::snprintf(text, sizeof text, "|%u%03u %02u %03u", static_cast<unsigned>(s.how), r.cid, unsigned{s.partition},
                  unsigned{s.zone});
  } else {
    const char* code = s.how == edge::restored ? r.sia_restored : r.sia;
    if (code == nullptr) return std::unexpected(fault::no_code);
    std::snprintf(text, sizeof text, "|%cri%u/%s%03u", s.how == edge::still ? 'O' : 'N', unsigned{s.partition}, code,
                  unsigned{s.zone});
  }
  return '#' + std::string(account) + text;
}

read_result<content> read_content(const frame& f) {
  const std::size_t bar = f.data.find('|');
  if (bar == std::string::npos || f.data[0] != '#') return std::unexpected(fault::content);
  const std::string_view data = f.data;
  content out;
  out.account = data.substr(1, bar - 1);
  if (!is_hex(out.account, 3, 16)) return std::unexpected(fault::content);
  if (out.account != f.account) return std::unexpected(fault::foreign_account);
  const std::string_view text = data.substr(bar + 1);
  const bool good = f.id == token::adm_cid ? read_cid(text, out) : f.id == token::sia_dcs && read_sia(text, out);
  if (!good) return std::unexpected(fault::content);
  return out;
}

}  // namespace tomoshibi::dc09
