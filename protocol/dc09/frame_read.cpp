// The reader. Strict: what it accepts, the writer could have written, but for three liberties towards answers of real
// receivers (docs/DC09.md): lower-case cipher text, a '|' before an empty body, and a whole block of padding behind.
#include "protocol/dc09/crc16.hpp"
#include "protocol/dc09/frame.hpp"
#include "protocol/dc09/stamp.hpp"

#include <algorithm>
#include <array>

namespace tomoshibi::dc09 {
namespace {

constexpr std::size_t head_chars = 8;   // CRC and length

// Takes characters from the front.
struct scanner {
  std::string_view left;

  bool skip(std::string_view what) {
    if (!left.starts_with(what)) return false;
    left.remove_prefix(what.size());
    return true;
  }
  template <class Is>
  std::string_view take_while(Is is) {
    std::size_t n = 0;
    while (n < left.size() && is(left[n])) ++n;
    const auto out = left.substr(0, n);
    left.remove_prefix(n);
    return out;
  }
  std::string_view hex() {
    return take_while([](char c) { return is_hex({&c, 1}, 1, 1); });
  }
};

std::optional<unsigned> upper_hex(std::string_view text) {
  unsigned value = 0;
  for (const char c : text) {
    if (c >= '0' && c <= '9') value = value * 16 + static_cast<unsigned>(c - '0');
    else if (c >= 'A' && c <= 'F') value = value * 16 + static_cast<unsigned>(c - 'A' + 10);
    else return std::nullopt;
  }
  return value;
}

// From LF to CR; what comes back begins with the first quote.
read_result<std::string_view> unwrap(std::string_view whole) {
  if (whole.empty() || whole.front() != '\n') return std::unexpected(fault::no_start);
  if (whole.size() > frame_bytes_max) return std::unexpected(fault::too_long);
  if (whole.back() != '\r' || whole.find_first_of("\n\r", 1) != whole.size() - 1) return std::unexpected(fault::no_end);
  whole = whole.substr(1, whole.size() - 2);
  const auto crc = upper_hex(whole.substr(0, 4));
  if (whole.size() < 4 || !crc) return std::unexpected(fault::crc);
  if (whole.size() < head_chars || whole[4] != '0') return std::unexpected(fault::length);
  const auto length = upper_hex(whole.substr(5, 3));
  const std::string_view text = whole.substr(head_chars);
  if (*crc != crc16(text)) return std::unexpected(fault::crc);
  if (!length || *length != text.size()) return std::unexpected(fault::length);
  return text;
}

bool read_token(scanner& in, frame& into) {
  constexpr std::array all{token::sia_dcs, token::adm_cid, token::null, token::ack, token::nak, token::duh, token::rsp};
  if (!in.skip("\"")) return false;
  into.encrypted = in.skip("*");
  for (const token id : all) {
    if (!in.skip(name_of(id))) continue;
    into.id = id;
    return in.skip("\"");
  }
  return false;
}

bool is_event(token id) { return id == token::sia_dcs || id == token::adm_cid; }

std::optional<fault> read_numbers(scanner& in, frame& into) {
  const auto digits = in.take_while([](char c) { return c >= '0' && c <= '9'; });
  if (digits.size() != 4) return fault::sequence;
  unsigned sequence = 0;
  for (const char c : digits) sequence = sequence * 10 + static_cast<unsigned>(c - '0');
  if (sequence == 0 && is_event(into.id)) return fault::sequence;
  into.sequence = static_cast<std::uint16_t>(sequence);
  if (in.skip("R")) {
    into.receiver = in.hex();
    if (!is_hex(*into.receiver, 1, 6)) return fault::prefix;
  }
  if (!in.skip("L")) return fault::prefix;
  into.line = in.hex();
  // A NAK has "A0" for its account: the A is not a digit of the line.
  if (into.id == token::nak && into.line.ends_with("A0") && !in.left.starts_with('#')) into.line.resize(into.line.size() - 2);
  if (!is_hex(into.line, 1, 6)) return fault::prefix;
  if (in.skip("#")) {
    into.account = in.hex();
    if (!is_hex(into.account, 3, 16)) return fault::account;
  }
  if (into.account.empty() && is_event(into.id)) return fault::account;
  return std::nullopt;
}

read_result<std::string> decipher(std::string_view hex, const cipher* key, token id) {
  if (key == nullptr) return std::unexpected(fault::no_key);
  const auto sealed = from_hex(hex);
  if (!sealed || sealed->empty() || sealed->size() % block_bytes != 0) return std::unexpected(fault::cipher_text);
  const bytes clear = key->decrypt(*sealed);
  std::string text{as_text(clear)};
  const std::size_t bar = text.find_first_of("|[]");
  if (bar == std::string::npos || bar == 0 || text[bar] == '[') return std::unexpected(fault::wrong_key);
  text.erase(0, text[bar] == '|' ? bar + 1 : bar);
  // Some receivers let their library pad what was already whole blocks.
  if (!is_event(id) && text.ends_with(std::string(block_bytes, '\x10'))) text.resize(text.size() - block_bytes);
  return text;
}

bool read_extensions(scanner& in, frame& into) {
  while (in.skip("[")) {
    const auto text = in.take_while([](char c) { return c != ']'; });
    if (text.empty() || text[0] < 'A' || text[0] > 'Z' || !is_printable(text) || !in.skip("]")) return false;
    if (into.extensions.size() == extensions_max) return false;
    into.extensions.push_back({text[0], std::string(text.substr(1))});
  }
  return true;
}

// Data, ']', extensions, time.
std::optional<fault> read_tail(std::string_view text, frame& into) {
  scanner in{text};
  into.data = in.take_while([](char c) { return c != ']'; });
  if (!is_printable(into.data) || !in.skip("]")) return fault::form;
  if (into.data.empty() ? is_event(into.id) : into.id == token::nak) return fault::form;
  if (!read_extensions(in, into)) return fault::form;
  if (in.skip("_")) {
    into.stamp = read_stamp(in.left);
    if (!into.stamp) return fault::stamp;
  } else if (!in.left.empty()) {
    return fault::form;
  }
  if (into.encrypted && !into.stamp) return fault::no_stamp;
  return std::nullopt;
}

}  // namespace

read_result<envelope> read_envelope(std::string_view whole) {
  const auto text = unwrap(whole);
  if (!text) return std::unexpected(text.error());
  scanner in{*text};
  envelope out;
  if (!read_token(in, out.head)) return std::unexpected(fault::token);
  if (const auto wrong = read_numbers(in, out.head)) return std::unexpected(*wrong);
  if (out.head.encrypted && out.head.id == token::nak) return std::unexpected(fault::form);
  if (!in.skip("[")) return std::unexpected(fault::form);
  out.rest = in.left;
  return out;
}

read_result<frame> read_body(const envelope& e, const cipher* key) {
  frame out = e.head;
  std::string clear;
  std::string_view tail = e.rest;
  if (out.encrypted) {
    auto opened = decipher(e.rest, key, out.id);
    if (!opened) return std::unexpected(opened.error());
    clear = std::move(*opened);
    tail = clear;
  }
  const auto wrong = read_tail(tail, out);
  // Bytes without form are what a wrong key makes; a time that is wrong or missing is the sender's own.
  if (wrong) return std::unexpected(out.encrypted && *wrong == fault::form ? fault::wrong_key : *wrong);
  return out;
}

read_result<frame> read_frame(std::string_view whole, const cipher* key) {
  const auto e = read_envelope(whole);
  if (!e) return std::unexpected(e.error());
  return read_body(*e, key);
}

}  // namespace tomoshibi::dc09
