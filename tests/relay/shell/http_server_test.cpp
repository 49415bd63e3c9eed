// Goal: whatever is said to the pages' port, the answer is right and carries the protective headers; it stays bounded.
#include "relay/shell/http_server.hpp"

#include "tests/support/drive.hpp"
#include "tests/support/no_descriptors.hpp"
#include "tests/support/plain_socket.hpp"

#include <catch2/catch_test_macros.hpp>
#include <list>

using namespace tomoshibi;
using namespace tomoshibi::relay;
using namespace tomoshibi::testing;

namespace {

struct fixture {
  std::unique_ptr<event_loop> loop = event_loop::open({}).value();
  std::vector<std::string> asked;
  std::unique_ptr<http_server> server =
      http_server::open(*loop, {"127.0.0.1", 0},
                        [this](std::string_view path) -> http_answer {
                          asked.emplace_back(path);
                          if (path == "/") return {200, "text/plain", "hello\n"};
                          return {404, "text/plain", "not here\n"};
                        })
          .value();

  plain_socket connect() { return plain_socket::tcp(server->local().port); }
  std::string ask(std::string_view text) {
    auto client = connect();
    REQUIRE(client.connected());
    client.write(text);
    REQUIRE(drive(*loop, [&] { return client.ended(); }));
    return client.received();
  }
};

void check_protected(const std::string& answer) {
  for (const char* header : {"X-Content-Type-Options: nosniff\r\n", "Content-Security-Policy: default-src 'none'",
                             "X-Frame-Options: DENY\r\n", "Cache-Control: no-store\r\n", "Connection: close\r\n"}) {
    CAPTURE(header, answer);
    CHECK(answer.find(header) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("GET is answered with the page") {
  fixture f;
  const auto answer = f.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(answer.ends_with("\r\n\r\nhello\n"));
  check_protected(answer);
}

TEST_CASE("HEAD is answered without the page, with its length") {
  fixture f;
  const auto answer = f.ask("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(answer.ends_with("\r\n\r\n"));
  CHECK(answer.find("Content-Length: 6\r\n") != std::string::npos);
  check_protected(answer);
}

TEST_CASE("the query is not part of the path, and HTTP/1.0 is understood") {
  fixture f;
  CHECK(f.ask("GET /?a=b HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 200"));
  CHECK(f.asked == std::vector<std::string>{"/"});
}

TEST_CASE("an unknown page is 404") {
  fixture f;
  const auto answer = f.ask("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(answer.starts_with("HTTP/1.1 404"));
  check_protected(answer);
}

TEST_CASE("other methods are 405 and say what is allowed") {
  fixture f;
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "MADEUP"}) {
    const auto answer = f.ask(std::string{method} + " / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    CAPTURE(method, answer);
    CHECK(answer.starts_with("HTTP/1.1 405"));
    CHECK(answer.find("Allow: GET, HEAD\r\n") != std::string::npos);
    check_protected(answer);
  }
  CHECK(f.asked.empty());
}

TEST_CASE("a body, too long a header and garbage are refused") {
  fixture f;
  const auto body = f.ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
  CHECK(body.starts_with("HTTP/1.1 413"));
  check_protected(body);
  const auto header = f.ask("GET / HTTP/1.1\r\nX: " + std::string(2 * http_header_bytes_max, 'x'));
  CHECK(header.starts_with("HTTP/1.1 431"));
  check_protected(header);
  const auto garbage = f.ask("\x16\x03\x01 not http at all\r\n\r\n");
  CHECK(garbage.starts_with("HTTP/1.1 400"));
  check_protected(garbage);
  CHECK(f.asked.empty());
}

TEST_CASE("half a request and then silence or the end costs the others nothing") {
  fixture f;
  auto silent = f.connect();
  silent.write("GET / HT");
  auto ending = f.connect();
  ending.write("GET / HT");
  ending.end();
  CHECK(f.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").starts_with("HTTP/1.1 200"));
  CHECK(drive(*f.loop, [&] { return ending.ended(); }));
  CHECK_FALSE(silent.ended());
}

TEST_CASE("idle connections up to the limit shut nobody out: the oldest makes room") {
  fixture f;
  std::list<plain_socket> idle;
  for (std::size_t i = 0; i < http_connections_max; ++i) {
    idle.emplace_back(f.connect());
    settle(*f.loop);
  }
  CHECK(f.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").starts_with("HTTP/1.1 200"));
  CHECK(drive(*f.loop, [&] { return idle.front().ended(); }));
  idle.pop_front();
  for (auto& other : idle) REQUIRE_FALSE(other.ended());
}

TEST_CASE("ten times as many idle connections as there are places: each visitor is answered, the places stay bounded") {
  fixture f;
  std::list<plain_socket> idle;
  for (std::size_t i = 0; i < 10 * http_connections_max; ++i) {
    idle.emplace_back(f.connect());
    if (i % 50 == 0) CHECK(f.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").starts_with("HTTP/1.1 200"));
  }
  settle(*f.loop);
  std::size_t open = 0;
  for (auto& one : idle) open += !one.ended();
  CHECK(open <= http_connections_max);
}

TEST_CASE("the address with the most connections makes room, not the one that came first") {
  fixture f;
  plain_socket early = plain_socket::tcp(f.server->local().port, "127.0.0.2");
  settle(*f.loop);
  std::list<plain_socket> many;
  for (std::size_t i = 0; i < 2 * http_connections_max; ++i) {
    many.emplace_back(f.connect());
    settle(*f.loop);
  }
  CHECK_FALSE(early.ended());
  early.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  REQUIRE(drive(*f.loop, [&] { return early.ended(); }));
  CHECK(early.received().starts_with("HTTP/1.1 200"));
}

TEST_CASE("a port that is taken and an address that is none are clear errors") {
  fixture f;
  const auto taken = http_server::open(*f.loop, f.server->local(), [](auto) { return http_answer{}; });
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code == errc::net_unreachable);
  const auto name = http_server::open(*f.loop, {"localhost", 0}, [](auto) { return http_answer{}; });
  REQUIRE_FALSE(name);
  CHECK(name.error().code == errc::config_invalid);
}

TEST_CASE("the server may end while visitors wait") {
  fixture f;
  auto waiting = f.connect();
  waiting.write("GET");
  settle(*f.loop);
  f.server.reset();
  CHECK(drive(*f.loop, [&] { return waiting.ended(); }));
}

TEST_CASE("a visitor for whom there is no descriptor waits, and does not keep the loop busy") {
  fixture f;
  auto waiting = f.connect();
  REQUIRE(waiting.connected());
  std::size_t handlers = 0;
  {
    const no_descriptors none;
    for (int turn = 0; turn < 2'000; ++turn) handlers += f.loop->poll();
  }
  CHECK(handlers < 200);
  waiting.write("GET / HTTP/1.1\r\n\r\n");
  REQUIRE(drive(*f.loop, [&] { return waiting.ended(); }));
  CHECK(waiting.received().ends_with("hello\n"));
}
