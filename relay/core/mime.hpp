// One mail as RFC 5322 text: From, To, Subject, Date, Message-ID, MIME headers, body. Pure.
//
// No field can add a header or end the header section: addresses and the Message-ID are checked, names and the subject
// are made one line and leave as encoded-words (RFC 2047) unless they are plain ASCII. Lines end with CRLF and are at
// most 78 bytes, but for a line that holds one long address or Message-ID. RFC 3834: Auto-Submitted, so that no
// out-of-office answer comes back.
#pragma once

#include "protocol/base/result.hpp"
#include "protocol/base/time.hpp"

#include <string>
#include <string_view>

namespace tomoshibi::relay {

inline constexpr std::size_t subject_bytes_max = 400;    // longer ones are cut at a character, with an ellipsis
inline constexpr std::size_t name_bytes_max = 120;       // the same
inline constexpr std::size_t mail_body_bytes_max = 64 * 1024;
inline constexpr std::size_t message_id_max = 200;

struct mail_content {
  std::string from_address;
  std::string from_name;       // may be empty
  std::string to_address;
  std::string to_name;         // may be empty
  std::string subject;         // UTF-8
  std::string body;            // UTF-8, LF lines
  std::string message_id;      // without < >: printable ASCII, one '@'
  std::string language;        // Content-Language, "ja" or "en"; empty = none
  wall_at date{};              // the same on every attempt, so that a mail sent twice is the same mail
};

// Errors: malformed (address, Message-ID, language), too_long (body).
result<std::string> build_mail(const mail_content& content);

// The pieces, for tests.
std::string encoded_header_text(std::string_view utf8, std::size_t first_line_used);  // encoded-words, folded
std::string rfc5322_date(wall_at t);                                                  // Tue, 03 Feb 2026 04:05:06 +0000

}  // namespace tomoshibi::relay
