#include "protocol/adapters/stderr_log.hpp"

#include "protocol/base/utf8.hpp"

#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace tomoshibi {
namespace {

// sd-daemon(3): syslog priorities that journald takes from the start of a line.
std::string_view journal_priority(log_level level) {
  switch (level) {
    case log_level::error: return "<3>";
    case log_level::warning: return "<4>";
    case log_level::info: return "<6>";
    case log_level::debug: return "<7>";
  }
  return "";
}

}  // namespace

stderr_log::stderr_log(const clock_source& clock, log_level most)
    : clock_(&clock), most_(most), journal_(std::getenv("JOURNAL_STREAM") != nullptr && isatty(STDERR_FILENO) == 0) {}

void stderr_log::write(log_level level, std::string_view module, std::string_view event,
                       std::span<const log_field> fields) {
  if (level > most_) return;
  put(line_of(level, module, event, fields));
}

std::string stderr_log::line_of(log_level level, std::string_view module, std::string_view event,
                                std::span<const log_field> fields) const {
  std::string line;
  if (journal_) line += journal_priority(level);
  line += "ts=";
  line += format_utc(clock_.load()->wall().at);
  line += ' ';
  line += format_log_line(level, module, event, fields);
  line.resize(whole_characters(line, log_line_max - 1));
  line += '\n';
  return line;
}

void stderr_log::put(std::string line) {
  std::lock_guard lock(one_at_a_time_);
  if (lost_ != 0) {
    const log_field lines{"lines", lost_};
    line.insert(0, line_of(log_level::warning, "log", "dropped", std::span{&lines, 1}));
  }
  if (out_.put(line, calm_ >= log_calm_lines ? log_patience : millis{0})) {
    lost_ = 0;
    ++calm_;
  } else {
    ++lost_;
    calm_ = 0;
  }
}

std::optional<log_level> parse_log_level(std::string_view text) {
  for (auto level : {log_level::error, log_level::warning, log_level::info, log_level::debug})
    if (text == name_of(level)) return level;
  return std::nullopt;
}

std::string format_utc(wall_at t) {
  using namespace std::chrono;
  const auto day = floor<days>(t);
  const year_month_day date{day};
  const hh_mm_ss<millis> time{t - day};
  char text[48];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", int{date.year()}, unsigned{date.month()},
                unsigned{date.day()}, static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
  return text;
}

}  // namespace tomoshibi
