// One SMTP connection over libcurl, kept for several mails. Blocking; one thread at a time. The only file of the relay
// that includes curl's header is curl_smtp.cpp.
#pragma once

#include "relay/shell/smtp_worker.hpp"

#include <atomic>
#include <memory>

namespace tomoshibi::relay {

class curl_smtp {
public:
  explicit curl_smtp(smtp_options options);
  ~curl_smtp();
  curl_smtp(const curl_smtp&) = delete;
  curl_smtp& operator=(const curl_smtp&) = delete;

  // Results as smtp_worker.hpp lists them. `stopping` breaks it off within a second or so.
  mail_result send(const smtp_job& job, const std::atomic<bool>& stopping);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace tomoshibi::relay
