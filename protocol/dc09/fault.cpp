#include "protocol/dc09/fault.hpp"

namespace tomoshibi::dc09 {

std::string_view name_of(fault what) {
  switch (what) {
    case fault::no_start: return "no_start";
    case fault::no_end: return "no_end";
    case fault::too_long: return "too_long";
    case fault::crc: return "crc";
    case fault::length: return "length";
    case fault::token: return "token";
    case fault::sequence: return "sequence";
    case fault::prefix: return "prefix";
    case fault::account: return "account";
    case fault::form: return "form";
    case fault::stamp: return "stamp";
    case fault::no_stamp: return "no_stamp";
    case fault::cipher_text: return "cipher_text";
    case fault::no_key: return "no_key";
    case fault::wrong_key: return "wrong_key";
    case fault::not_encrypted: return "not_encrypted";
    case fault::foreign_account: return "foreign_account";
    case fault::content: return "content";
    case fault::no_code: return "no_code";
  }
  return "?";
}

}  // namespace tomoshibi::dc09
