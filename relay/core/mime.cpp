#include "relay/core/mime.hpp"

#include "protocol/base/utf8.hpp"
#include "relay/core/base64.hpp"
#include "relay/core/mail_address.hpp"
#include "relay/core/plain_text.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace tomoshibi::relay {
namespace {

constexpr std::size_t line_max = 76;             // RFC 2047 2; also of a base64 line (RFC 2045 6.8)
constexpr std::string_view word_start = "=?UTF-8?B?";
constexpr std::string_view word_end = "?=";
constexpr std::string_view crlf = "\r\n";

bool printable_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

bool needs_encoding(std::string_view text, std::size_t used) {
  return !printable_ascii(text) || text.contains("=?") || text.starts_with(' ') || text.ends_with(' ') ||
         used + text.size() > line_max;
}

// At most bytes_max bytes, cut between characters.
std::string shortened(std::string text, std::size_t bytes_max) {
  constexpr std::string_view ellipsis = "…";
  if (text.size() <= bytes_max) return text;
  return text.substr(0, whole_characters(text, bytes_max - ellipsis.size())).append(ellipsis);
}

std::size_t word_bytes(std::size_t line_left) {  // source bytes that fit an encoded-word of that length
  const std::size_t frame = word_start.size() + word_end.size();
  return line_left <= frame ? 0 : (line_left - frame) / 4 * 3;
}

std::string subject_value(std::string_view subject) {
  const auto text = shortened(one_line(subject), subject_bytes_max);
  constexpr std::size_t used = std::string_view{"Subject: "}.size();
  return needs_encoding(text, used) ? encoded_header_text(text, used) : text;
}

std::string quoted_string(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string mailbox(std::string_view name, std::string_view address, std::size_t used) {
  const auto text = shortened(one_line(name), name_bytes_max);
  const std::string spec = "<" + std::string{address} + ">";
  if (text.empty()) return std::string{address};
  const auto shown = needs_encoding(text, used + 30) ? encoded_header_text(text, used) : quoted_string(text);
  return shown + "\r\n " + spec;  // on a line of its own: no need to count
}

status check_message_id(std::string_view id) {
  const auto at = id.find('@');
  const bool plain = std::ranges::all_of(id, [](char c) { return c > 0x20 && c < 0x7f && c != '<' && c != '>'; });
  if (id.size() > message_id_max || !plain || at == 0 || at == std::string_view::npos || at + 1 == id.size() ||
      id.find('@', at + 1) != std::string_view::npos) {
    return fail(errc::malformed, "Message-ID: printable ASCII with one @, at most 200 characters");
  }
  return {};
}

bool language_tag(std::string_view tag) {
  return tag.size() <= 8 && std::ranges::all_of(tag, [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; });
}

status check(const mail_content& c) {
  for (const auto* address : {&c.from_address, &c.to_address}) {
    if (auto ok = check_mail_address(*address); !ok) return ok;
  }
  if (auto ok = check_message_id(c.message_id); !ok) return ok;
  if (!language_tag(c.language)) return fail(errc::malformed, "language: ja or en");
  if (c.body.size() > mail_body_bytes_max) return fail(errc::too_long, "mail body: at most 64 KiB");
  return {};
}

// Lines of a text with CRLF, the last one ended.
std::string canonical(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\n') out += '\r';
    out += c;
  }
  if (!out.ends_with('\n')) out += crlf;
  return out;
}

bool fits_7bit(std::string_view text) {
  std::size_t length = 0;
  for (char c : text) {
    if (c != '\n' && (c < 0x20 || c >= 0x7f)) return false;
    length = c == '\n' ? 0 : length + 1;
    if (length > line_max) return false;
  }
  return true;
}

void append_body(std::string& out, std::string_view body) {
  const auto text = plain_lines(body);
  if (fits_7bit(text)) {
    out += "Content-Transfer-Encoding: 7bit\r\n\r\n";
    out += canonical(text);
    return;
  }
  out += "Content-Transfer-Encoding: base64\r\n\r\n";
  const auto encoded = base64(as_bytes(canonical(text)));
  for (std::size_t at = 0; at < encoded.size(); at += line_max) {
    out.append(encoded, at, line_max);
    out += crlf;
  }
}

std::string two_digits(std::int64_t n) { return n < 10 ? "0" + std::to_string(n) : std::to_string(n); }

void header(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += crlf;
}

}  // namespace

std::string encoded_header_text(std::string_view utf8, std::size_t first_line_used) {
  std::string out;
  std::size_t left = line_max - std::min(first_line_used, line_max - 20);
  while (!utf8.empty()) {
    const std::size_t room = word_bytes(std::min<std::size_t>(left, 75));
    std::size_t end = 0;
    while (end < utf8.size()) {
      const std::size_t next = end + utf8_at(utf8, end).length;
      if (next > room) break;
      end = next;
    }
    if (end != 0) {
      if (!out.empty()) out += "\r\n ";
      out += word_start;
      out += base64(as_bytes(utf8.substr(0, end)));
      out += word_end;
      utf8.remove_prefix(end);
    }
    left = line_max - 1;  // the blank that folds
  }
  return out;
}

std::string rfc5322_date(wall_at t) {
  static constexpr std::array<std::string_view, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day date{day};
  const auto second = std::chrono::floor<std::chrono::seconds>(t - day).count();
  std::string out{days[std::chrono::weekday{day}.c_encoding()]};
  out += ", " + two_digits(static_cast<unsigned>(date.day())) + " ";
  out += months[static_cast<unsigned>(date.month()) - 1];
  out += " " + std::to_string(static_cast<int>(date.year())) + " " + two_digits(second / 3600) + ":" +
         two_digits(second / 60 % 60) + ":" + two_digits(second % 60) + " +0000";
  return out;
}

result<std::string> build_mail(const mail_content& c) {
  if (auto ok = check(c); !ok) return std::unexpected{ok.error()};
  std::string out;
  header(out, "Date", rfc5322_date(c.date));
  header(out, "From", mailbox(c.from_name, c.from_address, 6));
  header(out, "To", mailbox(c.to_name, c.to_address, 4));
  header(out, "Message-ID", "<" + c.message_id + ">");
  header(out, "Subject", subject_value(c.subject));
  header(out, "MIME-Version", "1.0");
  header(out, "Content-Type", "text/plain; charset=utf-8");
  if (!c.language.empty()) header(out, "Content-Language", c.language);
  header(out, "Auto-Submitted", "auto-generated");
  append_body(out, c.body);
  return out;
}

}  // namespace tomoshibi::relay
