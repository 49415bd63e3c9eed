// One frame of ANSI/SIA DC-09, from LF to CR:
//
//   LF crc4 0LLL "id" seq4 [Rreceiver] Lline [#account] [data] [Xtext]... [_HH:MM:SS,MM-DD-YYYY] CR
//
// CRC and length cover everything from the first quote up to CR. An encrypted frame has a '*' in its id; everything after
// the '[' of the data is then hexadecimal of AES-CBC over: padding in front, '|' and the data, ']', extensions, time.
// Sources, liberties and limits: docs/DC09.md.
#pragma once

#include "protocol/base/bytes.hpp"
#include "protocol/base/time.hpp"
#include "protocol/dc09/cipher.hpp"
#include "protocol/dc09/fault.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tomoshibi::dc09 {

inline constexpr std::size_t frame_bytes_max = 1024;     // the longest of ours has 300; a length field could say 4,095
inline constexpr std::size_t extensions_max = 16;
inline constexpr std::size_t padding_bytes = 16;         // at least so many in front, where the receiver takes them
inline constexpr std::uint16_t sequence_max = 9999;      // then 1 again; 0 is for NULL and NAK

enum class token : std::uint8_t { sia_dcs, adm_cid, null, ack, nak, duh, rsp };
std::string_view name_of(token id);                      // "SIA-DCS" ...

constexpr std::uint16_t next_sequence(std::uint16_t now) {
  return now >= sequence_max ? std::uint16_t{1} : static_cast<std::uint16_t>(now + 1);
}

struct extension {
  char letter = 'I';                                     // H time of occurrence, I text, X/Y/Z position, V, M, K, C ...
  std::string text = {};                                      // printable, Windows-1252, no brackets
  friend bool operator==(const extension&, const extension&) = default;
};

struct frame {
  token id = token::null;
  bool encrypted = false;
  std::uint16_t sequence = 0;                            // 1..9999; 0 for NULL, NAK and the answer to a NULL
  std::optional<std::string> receiver = {};                   // R, 1..6 hexadecimal digits
  std::string line = "0";                                // L, the same
  std::string account = {};                                   // 3..16 hexadecimal digits; may be empty in NULL and answers
  std::string data = {};                                      // between the brackets; printable, no brackets
  std::vector<extension> extensions = {};
  std::optional<wall_at> stamp = {};                          // UTC, whole seconds; an encrypted frame must have it
  friend bool operator==(const frame&, const frame&) = default;

  const extension* find(char letter) const;              // null: none
};

// What an encrypted frame needs to be written. Letters are made of `randomness`, six bits of each byte.
struct sealing {
  const cipher* key = nullptr;
  byte_view randomness = {};                                  // at least padding_min + 15 bytes
  std::size_t padding_min = padding_bytes;               // 1..
};

// Errors: the fault that a reader of it would find; no_key; too_long.
read_result<std::string> write_frame(const frame& f, const sealing& with = {});

// What can be read without a key. The views are into the text that was read.
struct envelope {
  frame head = {};                                           // without data, extensions and time
  std::string_view rest = {};                                 // behind the '['
};
read_result<envelope> read_envelope(std::string_view whole);                        // from LF to CR
read_result<frame> read_body(const envelope& e, const cipher* key);
read_result<frame> read_frame(std::string_view whole, const cipher* key = nullptr); // both

// Parts that others check with the same words.
bool is_hex(std::string_view text, std::size_t min, std::size_t max);               // either case
bool is_printable(std::string_view text);                                           // no control character, no bracket

}  // namespace tomoshibi::dc09
