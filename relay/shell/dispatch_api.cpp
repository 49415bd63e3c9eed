#include "relay/shell/dispatch_api.hpp"

#include "protocol/adapters/stderr_log.hpp"
#include "protocol/dc09/press_signal.hpp"
#include "relay/core/plain_text.hpp"
#include "relay/shell/secret_file.hpp"

#include <nlohmann/json.hpp>

#include <charconv>
#include <set>

namespace tomoshibi::relay {
namespace {

using json = nlohmann::ordered_json;

constexpr std::string_view dispatch_path = "/api/dispatch";

http_answer answer_of(unsigned status, const json& body) {
  return {status, "application/json", body.dump(-1, ' ', false, json::error_handler_t::replace) + "\n"};
}
http_answer refusal(unsigned status, std::string_view why) { return answer_of(status, {{"error", why}}); }

bool authorized(const dispatch_api_parts& parts, const http_request& request) {
  static constexpr std::string_view scheme = "Bearer ";
  return request.authorization.starts_with(scheme) &&
         same_secret(std::string_view{request.authorization}.substr(scheme.size()), parts.token);
}

std::optional<std::string> text_of(const json& body, const char* key, std::size_t bytes_max) {
  const auto found = body.find(key);
  if (found == body.end() || !found->is_string()) return std::nullopt;
  auto text = found->get<std::string>();
  if (blank(text) || text.size() > bytes_max || !valid_utf8(text) || one_line(text) != text) return std::nullopt;
  return text;
}

struct asked_visit {
  ask_dispatch what;
  std::string confirm;
};

// A key that is there twice means two things, and readers differ in which one counts: then it is no object.
json object_of(const std::string& text) {
  std::set<std::string> keys;
  bool twice = false;
  const json::parser_callback_t look = [&keys, &twice](int depth, json::parse_event_t event, const json& parsed) {
    if (event == json::parse_event_t::key && depth == 1) twice |= !keys.insert(parsed.get<std::string>()).second;
    return true;
  };
  auto body = json::parse(text, look, false);
  return twice || !body.is_object() ? json{} : body;
}

std::optional<asked_visit> read_visit(const std::string& text) {
  const auto body = object_of(text);
  if (!body.is_object() || body.size() != 4) return std::nullopt;
  const auto home = body.find("home");
  if (home == body.end() || !home->is_number_unsigned()) return std::nullopt;
  const auto number = home->get<std::uint64_t>();
  if (number == 0 || number > 0xffffffff) return std::nullopt;
  auto who = text_of(body, "who", who_bytes_max);
  auto reason = text_of(body, "reason", reason_bytes_max);
  auto confirm = text_of(body, "confirm", 80);
  if (!who || !reason || !confirm) return std::nullopt;
  return asked_visit{{home_id{static_cast<std::uint32_t>(number)}, std::move(*who), std::move(*reason)}, std::move(*confirm)};
}

unsigned status_of(errc code) {
  switch (code) {
    case errc::not_found: return 404;
    case errc::refused: return 409;
    default: return 503;
  }
}

void ask_visit(const dispatch_api_parts& parts, const http_request& request, const http_server::reply& reply) {
  auto visit = read_visit(request.body);
  if (!visit)
    return reply(refusal(400, "a JSON object with home (number), who (1 to 120 bytes), reason (1 to 400 bytes), both more than blanks, and "
                              "confirm (the home's whole name); each once, and nothing else"));
  if (parts.requests == nullptr) return reply(refusal(409, "the relay runs without its emergency part"));
  const auto known = parts.who_is_there();
  if (!known) return reply(refusal(503, "the directory cannot be read"));
  const auto home = known->homes.find(visit->what.home);
  if (home == known->homes.end()) return reply(refusal(404, "no such home"));
  if (home->second.name != visit->confirm) return reply(refusal(409, "confirm is not the name of this home; nobody was asked"));
  if (!known->guards.contains(visit->what.home)) return reply(refusal(409, no_account_text(visit->what.home)));
  parts.requests->ask(std::move(visit->what), [reply](const result<std::uint64_t>& id) {
    if (!id) return reply(refusal(status_of(id.error().code), id.error().detail));
    reply(answer_of(202, {{"id", dc09::reference_of(press_id{*id})}}));
  });
}

void tell_visit(const dispatch_api_parts& parts, std::string_view typed, const http_server::reply& reply) {
  std::uint64_t id = 0;
  const auto [end, wrong] = std::from_chars(typed.data(), typed.data() + typed.size(), id, 16);
  if (typed.size() != 16 || wrong != std::errc{} || end != typed.data() + typed.size())
    return reply(refusal(404, "no such request"));
  const auto row = parts.find(dispatch_id{id});
  if (!row) return reply(refusal(503, "the emergency book cannot be read"));
  if (!*row) return reply(refusal(404, "no such request"));
  const auto& d = **row;
  reply(answer_of(200, {{"id", dc09::reference_of(press_id{id})},
                        {"home", static_cast<std::uint32_t>(d.home)},
                        {"asked", format_utc(d.asked)},
                        {"accepted", d.accepted ? json(format_utc(*d.accepted)) : json()}}));
}

}  // namespace

result<std::string> read_api_token(const std::string& path) {
  auto token = read_secret("pages.api_token_file", path);
  if (!token) return fail(errc::config_invalid, token.error().detail);
  static constexpr const char* allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=";
  if (token->size() < api_token_chars_min || token->find_first_not_of(allowed) != std::string::npos)
    return fail(errc::config_invalid, "pages.api_token_file: " + path + ": one line of at least " + std::to_string(api_token_chars_min) +
                                          " letters, digits and -._~+/=");
  return token;
}

bool same_secret(std::string_view a, std::string_view b) {
  // The length of a guess is its author's; that of the secret must not show: every byte of the guess is compared.
  unsigned different = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size(); ++i)
    different |= static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b.empty() ? '\0' : b[i % b.size()]));
  return different == 0 && !b.empty();
}

void answer_api(const dispatch_api_parts& parts, const http_request& request, const http_server::reply& reply) {
  if (parts.token.empty()) return reply(refusal(404, "there is no API here"));
  if (!authorized(parts, request)) return reply(refusal(401, "Authorization: Bearer and the token are needed"));
  if (request.path == dispatch_path) {
    if (request.method != "POST") return reply(refusal(405, "only POST"));
    return ask_visit(parts, request, reply);
  }
  const std::string_view path = request.path;
  if (path.starts_with(dispatch_path) && path.substr(dispatch_path.size()).starts_with('/')) {
    if (request.method != "GET") return reply(refusal(405, "only GET"));
    return tell_visit(parts, path.substr(dispatch_path.size() + 1), reply);
  }
  reply(refusal(404, "there is no such thing in this API"));
}

}  // namespace tomoshibi::relay
