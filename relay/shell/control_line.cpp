#include "relay/shell/control_line.hpp"

#include "protocol/base/bytes.hpp"
#include "protocol/dc09/press_signal.hpp"
#include "relay/core/plain_text.hpp"
#include "relay/ports/emergency_book.hpp"

#include <array>
#include <charconv>
#include <optional>

namespace tomoshibi::relay {
namespace {

// Texts travel as hexadecimal digits: no blank or line end of theirs can be taken for the form's.
std::optional<std::string> read_text(std::string_view hex, std::size_t bytes_max) {
  const auto raw = from_hex(hex);
  if (!raw || raw->empty() || raw->size() > bytes_max) return std::nullopt;
  std::string text(as_text(*raw));
  if (blank(text) || !valid_utf8(text) || one_line(text) != text) return std::nullopt;
  return text;
}

std::optional<home_id> read_home(std::string_view text) {
  std::uint32_t n = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (wrong != std::errc{} || end != text.data() + text.size() || n == 0) return std::nullopt;
  return home_id{n};
}

std::optional<emergency_request> read_request(std::string_view verb, std::string_view rest) {
  const auto cut = [&rest] {
    const auto blank = rest.find(' ');
    const auto word = rest.substr(0, blank);
    rest = blank == std::string_view::npos ? std::string_view{} : rest.substr(blank + 1);
    return word;
  };
  const auto home = read_home(cut());
  if (!home) return std::nullopt;
  if (verb == "drill" && rest.empty()) return ask_drill{*home};
  if (verb == "guard-test" && rest.empty()) return ask_guard_test{*home};
  if (verb != "dispatch") return std::nullopt;
  auto who = read_text(cut(), who_bytes_max);
  auto reason = read_text(cut(), reason_bytes_max);
  if (!who || !reason || !rest.empty()) return std::nullopt;
  return ask_dispatch{*home, std::move(*who), std::move(*reason)};
}

std::string number(home_id home) { return std::to_string(static_cast<std::uint32_t>(home)); }

constexpr std::array answer_codes{errc::not_found,       errc::refused,        errc::already_exists,  errc::config_invalid,
                                  errc::malformed,       errc::storage_io,     errc::storage_full,    errc::storage_busy,
                                  errc::storage_corrupt, errc::net_unreachable, errc::net_timeout};

}  // namespace

result<control_request> read_control_line(std::string_view line) {
  if (line == "reload") return ask_reload{};
  if (line == "status") return ask_status{};
  const auto blank = line.find(' ');
  if (blank != std::string_view::npos)
    if (auto r = read_request(line.substr(0, blank), line.substr(blank + 1))) return std::move(*r);
  return fail(errc::malformed, "unknown command");
}

std::string write_control_line(const emergency_request& r) {
  if (const auto* drill = std::get_if<ask_drill>(&r)) return "drill " + number(drill->home);
  if (const auto* test = std::get_if<ask_guard_test>(&r)) return "guard-test " + number(test->home);
  const auto& d = std::get<ask_dispatch>(r);
  return "dispatch " + number(d.home) + " " + to_hex(as_bytes(d.who)) + " " + to_hex(as_bytes(d.reason));
}

std::string write_control_answer(const result<std::uint64_t>& id) {
  if (id) return "ok " + dc09::reference_of(press_id{*id});
  return "error " + std::string(name_of(id.error().code)) + " " + one_line(id.error().detail);
}

result<std::uint64_t> read_control_answer(std::string_view line) {
  if (line.starts_with("ok ") && line.size() == 19) {
    std::uint64_t id = 0;
    const auto [end, wrong] = std::from_chars(line.data() + 3, line.data() + line.size(), id, 16);
    if (wrong == std::errc{} && end == line.data() + line.size()) return id;
  }
  if (line.starts_with("error ")) {
    line.remove_prefix(6);
    const auto blank = line.find(' ');
    for (const errc code : answer_codes)
      if (line.substr(0, blank) == name_of(code))
        return fail(code, std::string(blank == std::string_view::npos ? line : line.substr(blank + 1)));
    return fail(errc::refused, "the relay says: " + one_line(line));
  }
  return fail(errc::malformed, "the relay's answer is not understood; are relay and tomoshibi-ctl of one version?");
}

}  // namespace tomoshibi::relay
