#include "relay/shell/named_files.hpp"

#include "relay/shell/dispatch_api.hpp"
#include "relay/shell/smtp_worker.hpp"

namespace tomoshibi::relay {

status check_named_files(const relay_config& config) {
  std::string wrong;
  const auto look = [&wrong](const auto& found) {
    if (!found) wrong += (wrong.empty() ? "" : "\n") + found.error().detail;
  };
  if (!config.mail.server.empty()) look(smtp_options_of(config.mail));
  if (!config.guard.receivers.empty()) look(read_guard_settings(config.guard, {}));
  if (!config.pages.api_token_file.empty()) look(read_api_token(config.pages.api_token_file));
  return wrong.empty() ? status{} : fail(errc::config_invalid, std::move(wrong));
}

}  // namespace tomoshibi::relay
