#include "relay/ctl/usage_day.hpp"

#include "relay/ctl/json_text.hpp"
#include "relay/ctl/parse.hpp"
#include "relay/ctl/text_table.hpp"
#include "relay/shell/store_reads.hpp"

#include <cstdio>

namespace tomoshibi::ctl {
namespace {

constexpr std::size_t slots_per_hour = 4;

// The local day's cells out of the one or two UTC days it lies in.
status fill_cells(relay::statement_cache& statements, home_id home, slot_index first, usage_row& row) {
  const slot_index last = first + (slots_per_day - 1);
  for (auto day = static_cast<std::int32_t>(relay::day_of(first)); day <= static_cast<std::int32_t>(relay::day_of(last)); ++day) {
    const auto cells = relay::read_day_cells(statements, home, row.appliance, relay::utc_day{day});
    if (!cells) return std::unexpected(cells.error());
    for (std::int32_t i = 0; i < slots_per_day; ++i) {
      const std::int32_t at = relay::first_slot_of(relay::utc_day{day}) + i - first;
      if (at >= 0 && at < slots_per_day) row.cells[static_cast<std::size_t>(at)] = (*cells)[static_cast<std::size_t>(i)];
    }
  }
  return {};
}

bool anything(const usage_row& row) {
  for (const auto& c : row.cells)
    if (c.present) return true;
  return false;
}

char symbol(const relay::slot_cell& c) {
  if (!c.present) return '-';
  switch (c.state) {
    case slot_state::on: return '#';
    case slot_state::off: return '.';
    case slot_state::unknown: return '?';
  }
  return '?';
}

std::string two_digits(std::size_t n) { return std::string(n < 10 ? "0" : "") + std::to_string(n); }

std::string shown_label(const usage_row& row) { return row.label + (row.removed ? " (removed)" : ""); }

std::size_t label_width(const usage_day& d) {
  std::size_t width = 10;
  for (const auto& row : d.rows) width = std::max(width, shown_width(shown_label(row)));
  return width;
}

std::string summary(const usage_row& row) {
  std::int64_t seconds = 0, wh = 0;
  int on = 0, off = 0, unknown = 0, missing = 0;
  bool meter = false;
  for (const auto& c : row.cells) {
    if (!c.present) ++missing;
    else if (c.state == slot_state::on) ++on;
    else if (c.state == slot_state::off) ++off;
    else ++unknown;
    seconds += c.on_seconds;
    meter = meter || c.energy_wh.has_value();
    wh += c.energy_wh.value_or(0);
  }
  char text[160];
  std::snprintf(text, sizeof text, "ON %d  OFF %d  unknown %d  not received %d  in use %d:%02d h", on, off, unknown, missing,
                static_cast<int>(seconds / 3600), static_cast<int>(seconds % 3600 / 60));
  return text + (meter ? "  " + std::to_string(wh) + " Wh" : std::string{});
}

std::string half_day(const usage_day& d, std::size_t first_hour, std::size_t width) {
  std::string out = padded("", width);
  for (std::size_t hour = first_hour; hour < first_hour + 12; ++hour) out += " " + padded(two_digits(hour), slots_per_hour);
  while (out.back() == ' ') out.pop_back();
  out += '\n';
  for (const auto& row : d.rows) {
    out += padded(shown_label(row), width);
    for (std::size_t i = first_hour * slots_per_hour; i < (first_hour + 12) * slots_per_hour; ++i) {
      if (i % slots_per_hour == 0) out += ' ';
      out += symbol(row.cells[i]);
    }
    out += '\n';
  }
  return out;
}

const char* word(const relay::slot_cell& c) {
  if (!c.present || c.state == slot_state::unknown) return "判定不能";
  return c.state == slot_state::on ? "ON" : "OFF";
}

const char* json_word(const relay::slot_cell& c) {
  if (!c.present || c.state == slot_state::unknown) return "unknown";
  return c.state == slot_state::on ? "on" : "off";
}

std::string json_of(const usage_day& d, const usage_row& row) {
  json_array states, seconds, wh, readings, received, uncertain;
  for (const auto& c : row.cells) {
    states.add(json_word(c));
    seconds.add(c.on_seconds);
    wh.add(c.energy_wh);
    readings.add_raw(json_array().add(c.readings_expected).add(c.readings_got).text());
    received.add(c.present);
    uncertain.add(c.time_uncertain);
  }
  return json_object().add("home", static_cast<std::uint32_t>(d.where.id)).add("date", d.date)
      .add("zone", format_zone(d.where.zone_min)).add("first_slot", d.first.value)
      .add("appliance", static_cast<std::uint16_t>(row.appliance)).add("label", row.label).add("removed", row.removed)
      .add("states", states).add("seconds", seconds).add("wh", wh).add("readings", readings)
      .add("received", received).add("time_uncertain", uncertain).text();
}

bool take_row(const statement& s, std::vector<usage_row>& out) {
  usage_row row;
  row.appliance = static_cast<appliance_id>(s.int64(0));
  row.label = s.text(1);
  row.removed = !s.is_null(2);
  out.push_back(std::move(row));
  return true;
}

}  // namespace

result<usage_day> read_usage(registry& r, const relay::home& h, std::chrono::sys_days date) {
  usage_day d;
  d.where = h;
  d.date = format_local(wall_at{date}, 0).substr(0, 10);
  d.first = slot_of(wall_at{date} - std::chrono::minutes{h.zone_min});
  relay::statement_cache statements(r.db());
  auto s = r.db().prepare("SELECT id, label, removed_ms FROM appliance WHERE home = ?1 ORDER BY id");
  if (!s) return std::unexpected(s.error());
  s->bind(1, static_cast<std::uint32_t>(h.id));
  std::vector<usage_row> rows;
  if (auto ok = relay::for_each_row(*s, "appliance", [&rows](const statement& row) { return take_row(row, rows); }); !ok)
    return std::unexpected(ok.error());
  for (auto& row : rows) {
    if (auto ok = fill_cells(statements, h.id, d.first, row); !ok) return std::unexpected(ok.error());
    if (!row.removed || anything(row)) d.rows.push_back(std::move(row));
  }
  return d;
}

std::string usage_as_hours(const usage_day& d) {
  const std::size_t width = label_width(d);
  std::string out = "home " + shown(d.where.id) + "  " + d.where.name + "  " + d.date + " (UTC" +
                    format_zone(d.where.zone_min) + ")\n";
  out += "# ON   . OFF   ? 判定不能 (data was missing)   - nothing received, counts as 判定不能\n\n";
  if (d.rows.empty()) return out + "no appliances in this home\n";
  out += half_day(d, 0, width) + "\n" + half_day(d, 12, width) + "\n";
  for (const auto& row : d.rows) out += padded(shown_label(row), width) + " " + summary(row) + "\n";
  return out;
}

std::string usage_as_table(const usage_day& d) {
  std::vector<std::string> heads = {d.date};
  for (std::size_t i = 0; i < slots_per_day; ++i)
    heads.push_back(two_digits(i / slots_per_hour) + ":" + two_digits(i % slots_per_hour * 15));
  text_table t(std::move(heads));
  for (const auto& row : d.rows) {
    std::vector<std::string> cells = {shown_label(row)};
    for (const auto& c : row.cells) cells.emplace_back(word(c));
    t.row(std::move(cells));
  }
  return t.text();
}

std::string usage_as_json(const usage_day& d) {
  std::string out;
  for (const auto& row : d.rows) out += json_of(d, row) + "\n";
  return out;
}

}  // namespace tomoshibi::ctl
