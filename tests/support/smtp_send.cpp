// Sends mails through the relay's own smtp_worker, for tests that look at the other end.
//
//   smtp_send SERVER PORT starttls|tls|none USER PASSWORD_FILE CA_FILE TIMEOUT_S COUNT FROM TO SUBJECT <BODY
//   ("-" for no user, password file, CA file)
//
// Prints one line for each mail: "ok", "temporary" or "permanent", a blank, and the server's words.
#include "relay/core/mime.hpp"
#include "relay/shell/smtp_worker.hpp"

#include <cstdio>
#include <future>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

using namespace tomoshibi;
using namespace tomoshibi::relay;

namespace {

std::string unless_dash(const std::string& text) { return text == "-" ? "" : text; }

const char* word_of(mail_outcome outcome) {
  switch (outcome) {
    case mail_outcome::ok: return "ok";
    case mail_outcome::temporary: return "temporary";
    case mail_outcome::permanent: break;
  }
  return "permanent";
}

mail_result send_one(smtp_worker& worker, const mail_content& content) {
  auto text = build_mail(content);
  if (!text) return {mail_outcome::permanent, text.error().detail};
  std::promise<mail_result> promise;
  auto future = promise.get_future();
  worker.submit({content.from_address, content.to_address, std::move(*text)},
                [&promise](mail_result done) { promise.set_value(std::move(done)); });
  return future.get();
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> a(argv + 1, argv + argc);
  if (a.size() != 11) return 2;
  mail_config config{.server = a[0],
                     .port = static_cast<std::uint16_t>(std::stoi(a[1])),
                     .security = a[2] == "starttls" ? mail_security::starttls
                                 : a[2] == "tls"    ? mail_security::tls
                                                    : mail_security::none,
                     .user = unless_dash(a[3]),
                     .password_file = unless_dash(a[4]),
                     .ca_file = unless_dash(a[5]),
                     .from = a[8],
                     .timeout_s = static_cast<std::uint32_t>(std::stoi(a[6]))};
  auto options = smtp_options_of(config);
  if (!options) {
    std::printf("refused %s\n", options.error().detail.c_str());
    return 1;
  }
  smtp_worker worker(std::move(*options));
  const std::string body{std::istreambuf_iterator<char>(std::cin), {}};
  for (int i = 0; i < std::stoi(a[7]); ++i) {
    const auto done = send_one(worker, {.from_address = a[8],
                                        .from_name = "ともしび",
                                        .to_address = a[9],
                                        .to_name = "山田 太郎",
                                        .subject = a[10],
                                        .body = body,
                                        .message_id = "test." + std::to_string(i) + "@example.org",
                                        .language = "ja",
                                        .date = wall_from_ms(1'770'091'506'000)});
    std::printf("%s %s\n", word_of(done.outcome), done.server_text.c_str());
  }
}
