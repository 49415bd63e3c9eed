// Goal: only who has the token asks for a visit, only a confirmed one of a home with an account is passed on, and the answer says
// what became of it; over the socket a body is bounded and reaches the API alone.
#include "relay/shell/dispatch_api.hpp"

#include "tests/support/drive.hpp"
#include "tests/support/plain_socket.hpp"
#include "tests/support/temporary_folder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

using namespace tomoshibi;
using namespace tomoshibi::relay;
using namespace tomoshibi::testing;

namespace {

const std::string token(40, 'k');
constexpr std::string_view good = R"({"home":1,"who":"Hanako","reason":"no answer","confirm":"home one"})";

struct service final : emergency_requests {
  std::vector<ask_dispatch> asked;
  result<std::uint64_t> says = std::uint64_t{0xabc};
  void ask(emergency_request what, emergency_answer answer) override {
    asked.push_back(std::get<ask_dispatch>(std::move(what)));
    answer(says);
  }
};

struct fixture {
  service s;
  std::optional<dispatch_row> row;
  dispatch_api_parts parts{.token = token, .who_is_there = [] { return one_home(); },
                           .find = [this](dispatch_id) -> result<std::optional<dispatch_row>> { return row; }, .requests = &s};
  static result<directory> one_home() {
    directory d;
    for (const auto n : {1u, 2u}) d.homes[home_id{n}] = {.id = home_id{n}, .name = n == 1 ? "home one" : "home two", .watch_since = {}};
    d.guards[home_id{1}] = {.account = "0A12", .key_hex = ""};
    return d;
  }
  http_answer ask(const http_request& request) {
    std::vector<http_answer> got;
    answer_api(parts, request, [&got](http_answer a) { got.push_back(std::move(a)); });
    REQUIRE(got.size() == 1);
    return got[0];
  }
  http_answer post(std::string_view body, const std::string& authorization = "Bearer " + token) {
    return ask({"POST", "/api/dispatch", authorization, std::string(body)});
  }
};

}  // namespace

TEST_CASE("a confirmed request is passed on and named") {
  fixture f;
  const auto answer = f.post(good);
  CHECK(answer.status == 202);
  CHECK(nlohmann::json::parse(answer.body)["id"] == "0000000000000ABC");
  REQUIRE(f.s.asked.size() == 1);
  CHECK(f.s.asked[0].home == home_id{1});
  CHECK(f.s.asked[0].who == "Hanako");
  CHECK(f.s.asked[0].reason == "no answer");
}

TEST_CASE("without the token nothing is asked and nothing is told") {
  fixture f;
  const std::vector<std::string> wrong{"",
                                       token,
                                       "Bearer ",
                                       "Bearer " + token + "k",
                                       "Bearer " + token.substr(1),
                                       "bearer " + token,
                                       "Basic " + token,
                                       "Bearer " + std::string(40, 'K')};
  for (const auto& authorization : wrong) {
    CAPTURE(authorization);
    CHECK(f.post(good, authorization).status == 401);
    CHECK(f.ask({"GET", "/api/dispatch/0000000000000ABC", authorization, ""}).status == 401);
  }
  f.parts.token.clear();
  CHECK(f.post(good, "Bearer ").status == 404);
  CHECK(f.s.asked.empty());
}

TEST_CASE("what is not right is refused and nobody is asked") {
  fixture f;
  for (const char* body : {"", "{}", "[]", "null", "{", R"({"home":1,"who":"a","reason":"b"})",
                           R"({"home":0,"who":"a","reason":"b","confirm":"home one"})",
                           R"({"home":-1,"who":"a","reason":"b","confirm":"home one"})",
                           R"({"home":1.5,"who":"a","reason":"b","confirm":"home one"})",
                           R"({"home":4294967296,"who":"a","reason":"b","confirm":"home one"})",
                           R"({"home":"1","who":"a","reason":"b","confirm":"home one"})",
                           R"({"home":1,"who":"","reason":"b","confirm":"home one"})",
                           R"({"home":1,"who":"  ","reason":"b","confirm":"home one"})",
                           "{\"home\":1,\"who\":\"\u3000\u00a0\",\"reason\":\"b\",\"confirm\":\"home one\"}",
                           R"({"home":1,"who":"a","reason":" ","confirm":"home one"})",
                           R"({"home":1,"home":1,"who":"a","reason":"b","confirm":"home one"})",
                           R"({"home":1,"who":"a","who":"b","reason":"b","confirm":"home one"})",
                           R"({"home":1,"who":"a","wh\u006f":"a","reason":"b","confirm":"home one"})",
                           R"({"home":2,"who":"a","reason":"b","confirm":"home one","home":1})",
                           R"({"home":1,"who":"a\n","reason":"b","confirm":"home one"})",
                           R"({"home":1,"who":"a","reason":7,"confirm":"home one"})",
                           R"({"home":1,"who":"a","reason":"b","confirm":"home one","more":1})"}) {
    CAPTURE(body);
    CHECK(f.post(body).status == 400);
  }
  CHECK(f.post(R"({"home":1,"who":"a","reason":"b","confirm":"home two"})").status == 409);
  CHECK(f.post(R"({"home":2,"who":"a","reason":"b","confirm":"home two"})").status == 409);
  CHECK(f.post(R"({"home":3,"who":"a","reason":"b","confirm":"x"})").status == 404);
  CHECK(f.ask({"GET", "/api/dispatch", "Bearer " + token, std::string(good)}).status == 405);
  CHECK(f.ask({"POST", "/api/other", "Bearer " + token, std::string(good)}).status == 404);
  CHECK(f.s.asked.empty());
  f.s.says = fail(errc::storage_full, "disk");
  CHECK(f.post(good).status == 503);
  f.s.says = fail(errc::refused, "no guard centre is set up");
  CHECK(f.post(good).status == 409);
  f.parts.requests = nullptr;
  CHECK(f.post(good).status == 409);
}

TEST_CASE("a request is told as open until the centre has it") {
  fixture f;
  const auto get = [&f](const std::string& id) { return f.ask({"GET", "/api/dispatch/" + id, "Bearer " + token, ""}); };
  CHECK(get("0000000000000ABC").status == 404);
  f.row = dispatch_row{dispatch_id{0xabc}, home_id{1}, "Hanako", "no answer", wall_from_ms(1'800'000'000'000), {}, {}};
  const auto open = nlohmann::json::parse(get("0000000000000ABC").body);
  CHECK(open["accepted"].is_null());
  CHECK(open["home"] == 1);
  CHECK_FALSE(open.contains("who"));
  f.row->accepted = wall_from_ms(1'800'000'001'000);
  CHECK(nlohmann::json::parse(get("0000000000000abc").body)["accepted"] == "2027-01-15T08:00:01.000Z");
  for (const char* id : {"", "abc", "0000000000000ABCD", "000000000000zABC", "../passwd0000000"}) CHECK(get(id).status == 404);
}

TEST_CASE("secrets are the same only if every byte is") {
  CHECK(same_secret("abc", "abc"));
  for (const char* other : {"", "a", "ab", "abd", "bbc", "abcabc", "abca"}) CHECK_FALSE(same_secret(other, "abc"));
  CHECK_FALSE(same_secret("", ""));
}

TEST_CASE("a token that is too short, or that others can read, is refused") {
  const temporary_folder folder;
  const auto path = folder.file("token");
  const auto write = [&path](const std::string& text, mode_t mode) {
    std::ofstream(path) << text;
    REQUIRE(::chmod(path.c_str(), mode) == 0);
  };
  write(token + "\n", 0600);
  CHECK(read_api_token(path).value() == token);
  write(token, 0644);
  CHECK(read_api_token(path).error().code == errc::config_invalid);
  write(token.substr(0, 31), 0600);
  CHECK_FALSE(read_api_token(path));
  write(token + " " + token, 0600);
  CHECK_FALSE(read_api_token(path));
  CHECK_FALSE(read_api_token(folder.file("none")));
}

TEST_CASE("over the socket: a body reaches the API alone, is bounded, and the answer may come later") {
  const auto loop = event_loop::open({}).value();
  std::vector<http_request> asked;
  http_server::reply later;
  const auto server = http_server::open(*loop, {"127.0.0.1", 0}, [](std::string_view) { return http_answer{200, "text/plain", "page\n"}; },
                                        [&](const http_request& r, http_server::reply reply) {
                                          asked.push_back(r);
                                          later = std::move(reply);
                                        }).value();
  const auto request = [](std::string_view path, const std::string& body) {
    return "POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
  };
  const auto ask = [&](const std::string& text) {
    auto client = plain_socket::tcp(server->local().port);
    REQUIRE(client.connected());
    client.write(text);
    REQUIRE(drive(*loop, [&] { return client.ended() || later; }));
    if (later) std::exchange(later, {})({202, "application/json", "{}\n"});
    REQUIRE(drive(*loop, [&] { return client.ended(); }));
    return client.received();
  };
  CHECK(ask(request("/api/dispatch?x=1", "{}")).starts_with("HTTP/1.1 202"));
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].method == "POST");
  CHECK(asked[0].path == "/api/dispatch");
  CHECK(asked[0].authorization == "Bearer t");
  CHECK(asked[0].body == "{}");
  const auto too_long = ask(request("/api/dispatch", std::string(http_body_bytes_max + 1, 'x')));
  CHECK(too_long.starts_with("HTTP/1.1 413"));
  CHECK(too_long.find("application/json") != std::string::npos);
  CHECK(too_long.ends_with("\r\n\r\n{\"error\":\"the request body is longer than 4096 bytes\"}\n"));
  CHECK(ask(request("/", std::string(http_body_bytes_max + 1, 'x'))).ends_with("no request body is taken\n"));
  CHECK(ask(request("/", "{}")).starts_with("HTTP/1.1 413"));
  CHECK(asked.size() == 1);
}
