// What can be wrong with a DC-09 frame. Both ends decide by it: a receiver answers a bad CRC with silence and a bad time
// with NAK; a sender counts every one of them as "no answer".
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

namespace tomoshibi::dc09 {

enum class fault : std::uint8_t {
  no_start = 1,    // does not begin with LF
  no_end,          // the next LF came, or the bytes ended, before CR
  too_long,        // longer than frame_bytes_max
  crc,             // four upper-case hexadecimal digits that fit the text
  length,          // '0' and three upper-case hexadecimal digits that fit the text
  token,           // an id that is none of ours
  sequence,        // four decimal digits; 0000 only where the frame may have it
  prefix,          // R (may be absent) and L (must be there) with 1..6 hexadecimal digits
  account,         // '#' and 3..16 hexadecimal digits
  form,            // brackets, their content, or what follows them
  stamp,           // not _HH:MM:SS,MM-DD-YYYY, or no such time
  no_stamp,        // encrypted and without time
  cipher_text,     // not hexadecimal, or not whole blocks
  no_key,          // encrypted, and there is no key for it
  wrong_key,       // what comes out of the cipher has no form
  not_encrypted,   // plain where only encrypted frames count
  foreign_account, // inside and outside name different accounts
  content,         // the event block breaks its format
  no_code,         // this event has no code in this format (writer)
};

std::string_view name_of(fault what);  // "no_start", "too_long" ...

template <class T>
using read_result = std::expected<T, fault>;

}  // namespace tomoshibi::dc09
