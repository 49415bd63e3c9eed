#include "tools/guard.d/core/misbehaviour.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace tomoshibi::guard {
namespace {

constexpr std::pair<std::string_view, answer> names[] = {
    {"ack", answer::proper}, {"nak", answer::nak}, {"duh", answer::duh}, {"silence", answer::silence}, {"delay", answer::delay},
    {"duplicate", answer::duplicate}, {"wrong-sequence", answer::wrong_sequence}, {"wrong-account", answer::wrong_account},
    {"bad-crc", answer::bad_crc}, {"stale", answer::stale}, {"reset", answer::reset}, {"slow", answer::slow},
    {"unframed", answer::unframed}, {"deaf", answer::deaf}, {"die", answer::die},
};
constexpr std::uint32_t delay_ms_max = 600'000;

std::string all_names() {
  std::string out;
  for (const auto& [name, a] : names) out += (out.empty() ? "" : ", ") + std::string(name);
  return out;
}

std::optional<std::uint32_t> number(std::string_view text, std::uint32_t max) {
  std::uint32_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size() || value > max) return std::nullopt;
  return value;
}

status read_word(std::string_view word, order& into) {
  const std::size_t sign = word.find('=');
  const std::string_view key = word.substr(0, sign), value = sign == std::string_view::npos ? "" : word.substr(sign + 1);
  const auto wrong = [word](const std::string& allowed) { return fail(errc::config_invalid, "'" + std::string(word) + "': " + allowed); };
  if (key == "answer") {
    const auto at = std::ranges::find(names, value, [](const auto& n) { return n.first; });
    if (at == std::end(names)) return wrong("an answer is one of " + all_names());
    into.with = at->second;
    return {};
  }
  const bool ms = key == "delay";
  if (!ms && key != "after" && key != "count") return wrong("known words are after=N answer=KIND count=N delay=MS");
  const auto n = number(value, ms ? delay_ms_max : 1'000'000);
  if (!n) return wrong(ms ? "milliseconds, 0..600000" : "a number, 0..1000000");
  if (ms) into.delay = millis{*n};
  else (key == "after" ? into.after : into.count) = *n;
  return {};
}

}  // namespace

std::string_view name_of(answer a) {
  const auto at = std::ranges::find(names, a, [](const auto& n) { return n.second; });
  return at == std::end(names) ? "?" : at->first;
}

result<order> parse_order(std::string_view line) {
  order out;
  bool any = false, answered = false;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    if (word.empty()) continue;
    if (auto read = read_word(word, out); !read) return std::unexpected(read.error());
    any = true;
    answered |= word.starts_with("answer=");
  }
  if (!any || !answered)
    return fail(errc::config_invalid, "an order says answer=KIND and may say after=N count=N delay=MS; KIND is one of " + all_names());
  if (out.delay == 0ms) out.delay = out.with == answer::slow ? 50ms : 1000ms;
  return out;
}

status script::add(const order& o) {
  if (orders_.size() >= orders_max) return fail(errc::refused, "too many orders: at most " + std::to_string(orders_max));
  orders_.push_back(o);
  return {};
}

order script::next() {
  if (orders_.empty()) return {};
  order& first = orders_.front();
  if (first.after > 0) {
    --first.after;
    return {};
  }
  const order now = first;
  if (first.count != 0 && --first.count == 0) orders_.pop_front();
  return now;
}

}  // namespace tomoshibi::guard
