// Whatever is said to the pages' port: one whole answer with its protective headers, or none; the page handler sees only
// paths that a request line can hold. The first byte says in which pieces the rest arrives.
#include "protocol/base/check.hpp"
#include "relay/shell/dispatch_api.hpp"
#include "relay/shell/http_server.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/support/drive.hpp"
#include "tests/support/plain_socket.hpp"

using namespace tomoshibi;
using namespace tomoshibi::relay;

namespace {

constexpr std::string_view page = "hello <world>\n";

http_answer answer_to(std::string_view path) {
  for (const char c : path) TOMO_REQUIRE(static_cast<unsigned char>(c) > 0x20 && c != 0x7f && c != '?');
  if (path == "/") return {200, "text/plain", std::string(page)};
  return {404, "text/plain", "not here\n"};
}

// The API is asked with a bounded body for paths of its own only, and answers in the same turn.
void answer_api_call(const http_request& request, const http_server::reply& reply) {
  TOMO_REQUIRE(request.path.starts_with("/api/") && request.path.find('?') == std::string::npos);
  TOMO_REQUIRE(request.body.size() <= http_body_bytes_max);
  static const dispatch_api_parts parts{
      .token = std::string(32, 't'), .who_is_there = [] { return result<directory>{directory{}}; },
      .find = [](dispatch_id) { return result<std::optional<dispatch_row>>{std::nullopt}; }, .requests = nullptr};
  answer_api(parts, request, reply);
}

struct bench {
  std::unique_ptr<event_loop> loop = event_loop::open({}).value();
  std::unique_ptr<http_server> server = http_server::open(*loop, {"127.0.0.1", 0}, answer_to, answer_api_call).value();
};

std::optional<std::string_view> header(std::string_view head, std::string_view name) {
  const auto at = head.find("\r\n" + std::string(name) + ": ");
  if (at == std::string_view::npos) return std::nullopt;
  const auto value = head.substr(at + name.size() + 4);
  return value.substr(0, value.find("\r\n"));
}

void check_answer(std::string_view answer, bool head_only) {
  if (answer.empty()) return;
  TOMO_REQUIRE(answer.starts_with("HTTP/1.1 "));
  const auto status = answer.substr(9, 4);
  static constexpr std::string_view known = "200 400 401 404 405 409 413 431 ";
  TOMO_REQUIRE(known.find(status) % 4 == 0);
  const auto end = answer.find("\r\n\r\n");
  TOMO_REQUIRE(end != std::string_view::npos);
  const auto head = answer.substr(0, end + 2);
  const auto body = answer.substr(end + 4);
  TOMO_REQUIRE(header(head, "X-Content-Type-Options") == "nosniff" && header(head, "X-Frame-Options") == "DENY");
  TOMO_REQUIRE(header(head, "Connection") == "close" && header(head, "Cache-Control") == "no-store");
  TOMO_REQUIRE(header(head, "Content-Security-Policy")->starts_with("default-src 'none'"));
  const auto length = header(head, "Content-Length");
  TOMO_REQUIRE(length.has_value());
  TOMO_REQUIRE(*length == std::to_string(body.size()) || (head_only && body.empty()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static bench b;
  fuzz::input in{data, size};
  const std::size_t piece = 1 + std::size_t{in.u8()} * 16;
  const std::string_view text = as_text(in.rest());
  auto client = testing::plain_socket::tcp(b.server->local().port);
  TOMO_REQUIRE(client.connected());
  bool ended = false;
  for (std::size_t at = 0; at < text.size() && !ended; at += piece) {
    client.write(text.substr(at, piece));
    for (int turn = 0; turn < 3; ++turn) b.loop->poll();
    ended = client.ended();
  }
  client.end();
  TOMO_REQUIRE(testing::drive(*b.loop, [&client] { return client.ended(); }));
  check_answer(client.received(), text.starts_with("HEAD "));
  return 0;
}
