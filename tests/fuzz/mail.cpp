// Any bytes as names, subject, body, addresses and Message-ID: a mail is refused, or it has exactly our ten headers, all in
// printable ASCII, and a body that cannot be taken for a header.
#include "protocol/base/bytes.hpp"
#include "protocol/base/check.hpp"
#include "relay/core/mail_address.hpp"
#include "relay/core/mime.hpp"
#include "relay/core/plain_text.hpp"

#include <string_view>

using namespace tomoshibi;
using namespace tomoshibi::relay;

namespace {

// The input is cut at byte 0x1f; missing pieces are usual values.
std::string piece(std::string_view& input, std::string_view usual) {
  const auto end = input.find('\x1f');
  const auto part = input.substr(0, end);
  input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
  return std::string{part.empty() ? usual : part};
}

std::size_t header_count(std::string_view head) {
  std::size_t count = 0;
  while (!head.empty()) {
    const auto end = head.find("\r\n");
    TOMO_REQUIRE(end != std::string_view::npos && end <= 998);
    for (char c : head.substr(0, end)) TOMO_REQUIRE(c >= 0x20 && c < 0x7f);
    if (head[0] != ' ') ++count;
    head.remove_prefix(end + 2);
  }
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = as_text({data, size});
  mail_content content;
  content.subject = piece(input, "subject");
  content.to_name = piece(input, "name");
  content.body = piece(input, "body");
  content.to_address = piece(input, "taro@example.org");
  content.message_id = piece(input, "id@example.org");
  content.from_name = piece(input, "");
  content.from_address = "watch@example.org";
  content.language = "ja";
  TOMO_REQUIRE(valid_utf8(without_addresses(content.body, 100)));

  const auto mail = build_mail(content);
  if (!mail) return 0;
  TOMO_REQUIRE(check_mail_address(content.to_address).has_value());
  const auto end = mail->find("\r\n\r\n");
  TOMO_REQUIRE(end != std::string::npos);
  TOMO_REQUIRE(header_count(std::string_view{*mail}.substr(0, end + 2)) == 10);
  TOMO_REQUIRE(mail->ends_with("\r\n"));
  return 0;
}
