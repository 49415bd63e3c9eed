// Mail addresses as this service accepts them: dot-atom@domain of RFC 5321/5322 in ASCII, nothing else. No quoted local
// parts, comments, literals or blanks: what is accepted can be put between < and > of an SMTP command or a header as is.
#pragma once

#include "protocol/base/result.hpp"

#include <string>
#include <string_view>

namespace tomoshibi::relay {

inline constexpr std::size_t mail_address_max = 254;  // RFC 5321 4.5.3.1.3: a path of 256 with its < and >
inline constexpr std::size_t mail_local_max = 64;     // RFC 5321 4.5.3.1.1
inline constexpr std::size_t domain_label_max = 63;   // RFC 1035 2.3.4

// malformed; the detail says what is wrong and what is allowed, without the address.
status check_mail_address(std::string_view address);

std::string_view domain_of(std::string_view checked_address);

// Server replies for logs and the store: whatever holds an '@' becomes *@*; one line, at most bytes_max bytes.
std::string without_addresses(std::string_view text, std::size_t bytes_max);

}  // namespace tomoshibi::relay
