#include "relay/shell/named_files.hpp"

#include "relay/shell/dispatch_api.hpp"
#include "relay/shell/smtp_worker.hpp"

#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace tomoshibi::relay {
namespace {

// Not looked at before a start, which presses must not wait for. What it holds is the mail library's to say, which knows more kinds.
status readable(std::string_view key, const std::string& path) {
  if (path.empty() || ::access(path.c_str(), R_OK) == 0) return {};
  return fail(errc::config_invalid, std::string(key) + ": " + path + ": " + std::strerror(errno));
}

}  // namespace

status check_named_files(const relay_config& config) {
  std::string wrong;
  const auto look = [&wrong](const auto& found) {
    if (!found) wrong += (wrong.empty() ? "" : "\n") + found.error().detail;
  };
  if (!config.mail.server.empty()) {
    look(smtp_options_of(config.mail));
    look(readable("mail.ca_file", config.mail.ca_file));
  }
  if (!config.guard.receivers.empty()) look(read_guard_settings(config.guard, {}));
  if (!config.pages.api_token_file.empty()) look(read_api_token(config.pages.api_token_file));
  return wrong.empty() ? status{} : fail(errc::config_invalid, std::move(wrong));
}

}  // namespace tomoshibi::relay
