// Words shared by writer and reader, and the writer.
#include "protocol/dc09/frame.hpp"

#include "protocol/base/check.hpp"
#include "protocol/dc09/crc16.hpp"
#include "protocol/dc09/stamp.hpp"

#include <algorithm>
#include <cstdio>

namespace tomoshibi::dc09 {
namespace {

constexpr std::string_view padding_letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";

bool is_event(token id) { return id == token::sia_dcs || id == token::adm_cid; }

std::optional<fault> wrong_with(const frame& f) {
  const bool zero_allowed = !is_event(f.id);
  if (f.sequence > sequence_max || (f.sequence == 0 && !zero_allowed)) return fault::sequence;
  if (f.receiver && !is_hex(*f.receiver, 1, 6)) return fault::prefix;
  if (!is_hex(f.line, 1, 6)) return fault::prefix;
  if (f.account.empty() ? is_event(f.id) : !is_hex(f.account, 3, 16)) return fault::account;
  if (!is_printable(f.data) || (f.data.empty() && is_event(f.id)) || (!f.data.empty() && f.id == token::nak))
    return fault::form;
  if (f.extensions.size() > extensions_max) return fault::form;
  for (const extension& e : f.extensions)
    if (e.letter < 'A' || e.letter > 'Z' || !is_printable(e.text)) return fault::form;
  if (f.encrypted && f.id == token::nak) return fault::form;
  if (f.encrypted && !f.stamp) return fault::no_stamp;
  if (f.stamp && read_stamp(write_stamp(*f.stamp)) != *f.stamp) return fault::stamp;
  return std::nullopt;
}

std::string tail_of(const frame& f) {
  std::string out = f.data;
  out += ']';
  for (const extension& e : f.extensions) {
    out += '[';
    out += e.letter;
    out += e.text;
    out += ']';
  }
  if (f.stamp) out += '_' + write_stamp(*f.stamp);
  return out;
}

read_result<std::string> seal(std::string tail, const sealing& with) {
  if (with.key == nullptr) return std::unexpected(fault::no_key);
  const std::size_t least = with.padding_min + tail.size();
  const std::size_t padding = with.padding_min + (block_bytes - least % block_bytes) % block_bytes;
  TOMO_REQUIRE(with.padding_min >= 1 && with.randomness.size() >= padding);
  std::string clear;
  for (std::size_t i = 0; i < padding; ++i) clear += padding_letters[with.randomness[i] & 63u];
  clear += tail;
  std::string hex = to_hex(with.key->encrypt(as_bytes(clear)));
  std::ranges::transform(hex, hex.begin(), [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
  return hex;
}

}  // namespace

std::string_view name_of(token id) {
  switch (id) {
    case token::sia_dcs: return "SIA-DCS";
    case token::adm_cid: return "ADM-CID";
    case token::null: return "NULL";
    case token::ack: return "ACK";
    case token::nak: return "NAK";
    case token::duh: return "DUH";
    case token::rsp: return "RSP";
  }
  return "?";
}

const extension* frame::find(char letter) const {
  const auto at = std::ranges::find(extensions, letter, &extension::letter);
  return at == extensions.end() ? nullptr : &*at;
}

bool is_hex(std::string_view text, std::size_t min, std::size_t max) {
  return text.size() >= min && text.size() <= max && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
         });
}

bool is_printable(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return u < 0x20 || u == 0x7f || c == '[' || c == ']';
  });
}

read_result<std::string> write_frame(const frame& f, const sealing& with) {
  if (const auto wrong = wrong_with(f)) return std::unexpected(*wrong);
  std::string text = "\"";
  if (f.encrypted) text += '*';
  text += name_of(f.id);
  char sequence[8];
  std::snprintf(sequence, sizeof sequence, "\"%04u", unsigned{f.sequence});
  text += sequence;
  if (f.receiver) text += 'R' + *f.receiver;
  text += 'L' + f.line;
  if (!f.account.empty()) text += '#' + f.account;
  else if (f.id == token::nak) text += "A0";
  text += '[';
  if (f.encrypted) {
    auto sealed = seal((f.data.empty() ? "" : "|") + tail_of(f), with);
    if (!sealed) return sealed;
    text += *sealed;
  } else {
    text += tail_of(f);
  }
  char head[16];
  std::snprintf(head, sizeof head, "\n%04X0%03X", unsigned{crc16(text)}, static_cast<unsigned>(text.size()));
  std::string whole = head + text + '\r';
  if (whole.size() > frame_bytes_max) return std::unexpected(fault::too_long);
  return whole;
}

}  // namespace tomoshibi::dc09
