// Who may call the guard centre: a file with one account a line,
//
//   # number   key                               name, for the list
//   1234       -                                 Tanabe
//   ABCD       000102030405060708090A0B0C0D0E0F  Kita
//
// The key has 32, 48 or 64 hexadecimal digits (AES-128, -192, -256); "-" is an account that speaks plainly.
#pragma once

#include "tools/guard.d/core/centre.hpp"

namespace tomoshibi::guard {

// Errors: config_invalid, with file and line and what is allowed.
result<std::vector<account>> parse_accounts(std::string_view text, const std::string& file);
result<std::vector<account>> load_accounts(const std::string& path);

}  // namespace tomoshibi::guard
