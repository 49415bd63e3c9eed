#include "relay/core/mail_address.hpp"

#include "relay/core/plain_text.hpp"

#include <algorithm>

namespace tomoshibi::relay {
namespace {

bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool digit(char c) { return c >= '0' && c <= '9'; }
bool atext(char c) { return letter(c) || digit(c) || std::string_view{"!#$%&'*+-/=?^_`{|}~"}.contains(c); }

// Calls `each` with every part between dots; false as soon as one is refused.
template <class F>
bool parts_hold(std::string_view text, F each) {
  for (;;) {
    const auto dot = text.find('.');
    if (!each(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool atom(std::string_view part) { return !part.empty() && std::ranges::all_of(part, atext); }

bool host_label(std::string_view label) {
  return !label.empty() && label.size() <= domain_label_max && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return letter(c) || digit(c) || c == '-'; });
}

bool domain(std::string_view text) {
  if (text == "localhost") return true;
  const auto dot = text.rfind('.');
  if (dot == std::string_view::npos || std::ranges::all_of(text.substr(dot + 1), digit)) return false;
  return parts_hold(text, host_label);
}

bool ends_address(char c) { return static_cast<unsigned char>(c) <= 0x20 || std::string_view{"<>()[],;:\""}.contains(c); }

std::string cut(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
  return text;
}

}  // namespace

status check_mail_address(std::string_view address) {
  if (address.size() > mail_address_max) return fail(errc::malformed, "mail address: at most 254 characters");
  const auto at = address.find('@');
  if (at == std::string_view::npos) return fail(errc::malformed, "mail address: name@domain, without < > or blanks");
  const auto local = address.substr(0, at);
  if (local.size() > mail_local_max) return fail(errc::malformed, "mail address: at most 64 characters before the @");
  if (!parts_hold(local, atom)) {
    return fail(errc::malformed, "mail address: before the @ letters, digits and !#$%&'*+-/=?^_`{|}~ with single dots between");
  }
  if (!domain(address.substr(at + 1))) {
    return fail(errc::malformed, "mail address: after the @ a domain such as example.org (letters, digits, hyphens, dots)");
  }
  return {};
}

std::string_view domain_of(std::string_view checked_address) {
  return checked_address.substr(checked_address.rfind('@') + 1);
}

std::string without_addresses(std::string_view text, std::size_t bytes_max) {
  std::string out;
  while (!text.empty()) {
    const auto end = static_cast<std::size_t>(std::ranges::find_if(text, ends_address) - text.begin());
    const auto word = text.substr(0, end);
    out += word.contains('@') ? std::string_view{"*@*"} : word;
    if (end < text.size()) out += text[end];
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return cut(one_line(out), bytes_max);
}

}  // namespace tomoshibi::relay
