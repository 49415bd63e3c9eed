// A small HTTP/1.1 server for the relay's own pages: GET and HEAD, no request body, one request a connection. Paths that begin
// with /api/ go to the API, if there is one: any method, a small body, an answer that may come later.
// The only file that includes Boost.Beast is http_server.cpp.
//
// Bounded: connections, header bytes, time for the request and for the answer. Every answer, refusals too, carries
// nosniff, a Content-Security-Policy that allows nothing but inline style, no-store and frame denial.
#pragma once

#include "protocol/adapters/event_loop.hpp"
#include "protocol/base/net.hpp"
#include "protocol/base/result.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tomoshibi::relay {

// Over it the address with the most connections loses one of those whose request is not whole yet, the oldest; if no
// request is unfinished, the newcomer is dropped. So idle connections of one address never shut out the others.
inline constexpr std::size_t http_connections_max = 64;
inline constexpr std::size_t http_header_bytes_max = 8 * 1024;
inline constexpr millis http_request_patience{10'000};       // real time also in a replay: readers are people and scrapers
inline constexpr millis http_answer_patience{10'000};

struct http_answer {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

inline constexpr std::size_t http_body_bytes_max = 4 * 1024;  // of the API

struct http_request {
  std::string method;              // "POST"
  std::string path;                // without its query
  std::string authorization;       // that header; empty: there is none
  std::string body;
};

class http_server {
public:
  // Asked with the path without its query. 404 and the like are the handler's to answer.
  using page_handler = std::function<http_answer(std::string_view path)>;

  // Answers once, at once or later; if it never does, the connection is closed with the last copy of the reply.
  using reply = std::function<void(http_answer)>;
  using api_handler = std::function<void(const http_request&, reply)>;

  // Errors: config_invalid (not a numeric address), net_unreachable (port taken).
  static result<std::unique_ptr<http_server>> open(event_loop& loop, const endpoint& at, page_handler pages,
                                                   api_handler api = {});
  ~http_server();  // hangs up on everybody
  endpoint local() const;

private:
  struct impl;
  explicit http_server(std::shared_ptr<impl> p);
  std::shared_ptr<impl> impl_;
};

}  // namespace tomoshibi::relay
