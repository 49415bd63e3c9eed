#include "tools/replay/iso_time.hpp"

#include <cstdio>

namespace tomoshibi::replay {
namespace {

constexpr int year_min = 1970;
constexpr int year_max = 2199;

// Reads fixed-width fields from the front of a text; one wrong character makes it bad for good.
class field_reader {
public:
  explicit field_reader(std::string_view text) : text_(text) {}
  int digits(std::size_t count) {
    int value = 0;
    if (text_.size() < count) ok_ = false;
    for (std::size_t i = 0; ok_ && i < count; ++i) {
      if (text_[i] < '0' || text_[i] > '9') ok_ = false;
      else value = value * 10 + (text_[i] - '0');
    }
    if (ok_) text_.remove_prefix(count);
    return value;
  }
  void literal(char c) {
    if (!skip(c)) ok_ = false;
  }
  bool skip(char c) {
    if (!ok_ || text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && text_.empty(); }

private:
  std::string_view text_;
  bool ok_ = true;
};

}  // namespace

std::optional<wall_at> parse_iso_time(std::string_view text, std::chrono::minutes zone) {
  field_reader in(text);
  const int year = in.digits(4);
  in.literal('-');
  const int month = in.digits(2);
  in.literal('-');
  const int day = in.digits(2);
  int hour = 0, minute = 0, second = 0, milli = 0;
  if (!in.at_end() && in.ok()) {
    in.literal('T');
    hour = in.digits(2);
    in.literal(':');
    minute = in.digits(2);
    in.literal(':');
    second = in.digits(2);
    if (in.skip('.')) milli = in.digits(3);
    if (in.skip('Z')) zone = {};
  }
  if (!in.at_end() || year < year_min || year > year_max || hour > 23 || minute > 59 || second > 59) return {};
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return {};
  return wall_at{std::chrono::sys_days{date}} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
         std::chrono::seconds{second} + millis{milli} - zone;
}

std::string format_iso_time(wall_at at) {
  const auto days = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{days};
  const auto in_day = (at - days).count();
  char text[48];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(in_day / 3'600'000), static_cast<int>(in_day / 60'000 % 60),
                static_cast<int>(in_day / 1000 % 60));
  std::string out = text;
  if (in_day % 1000 != 0) {
    std::snprintf(text, sizeof text, ".%03d", static_cast<int>(in_day % 1000));
    out += text;
  }
  return out + 'Z';
}

std::optional<std::chrono::minutes> parse_zone(std::string_view text) {
  if (text == "Z") return std::chrono::minutes{0};
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return {};
  const bool west = text.front() == '-';
  field_reader in(text.substr(1));
  const int hours = in.digits(2);
  in.literal(':');
  const int minutes = in.digits(2);
  if (!in.at_end() || minutes > 59 || hours * 60 + minutes > 14 * 60) return {};
  const std::chrono::minutes offset{hours * 60 + minutes};
  return west ? -offset : offset;
}

}  // namespace tomoshibi::replay
