// POST /api/dispatch, GET /api/dispatch/ID: the family's request for a visit, for the provider's own systems and pages.
//
//   POST /api/dispatch   {"home": 1, "who": "...", "reason": "...", "confirm": "the home's whole name"}
//                        202 {"id": "16 hexadecimal digits"}: durable, on its way to the guard centre
//   GET /api/dispatch/ID 200 {"id", "home", "asked", "accepted"}: accepted is null until the centre's acknowledgement
//   400 not that JSON, a key twice, or who or reason of blanks only; 401 no or a wrong token; 404 no such home or id; 405;
//   409 not confirmed, no account, no centre; 413 a longer body than http_body_bytes_max; 503
//
// Authorization: Bearer TOKEN, compared in constant time. Who has the token may send somebody to a door: it is a key. Errors are
// {"error": "..."}; nothing is logged but that it was asked and how it ended.
#pragma once

#include "protocol/base/log.hpp"
#include "relay/core/directory.hpp"
#include "relay/ports/emergency_book.hpp"
#include "relay/ports/emergency_requests.hpp"
#include "relay/shell/http_server.hpp"

#include <functional>
#include <string>

namespace tomoshibi::relay {

inline constexpr std::size_t api_token_chars_min = 32;

// The token of a file; config_invalid, with key and path, if it cannot be read, is too short or others can read it.
result<std::string> read_api_token(const std::string& path);

// Whether both are the same, in a time that does not depend on where they differ.
bool same_secret(std::string_view a, std::string_view b);

struct dispatch_api_parts {
  std::string token;
  std::function<result<directory>()> who_is_there;
  std::function<result<std::optional<dispatch_row>>(dispatch_id)> find;
  emergency_requests* requests = nullptr;      // nothing: the emergency part is not enabled
};

// Answers once, at once or later.
void answer_api(const dispatch_api_parts& parts, const http_request& request, const http_server::reply& reply);

}  // namespace tomoshibi::relay
