#include "relay/shell/smtp_worker.hpp"

#include "relay/core/mail_address.hpp"
#include "relay/shell/curl_smtp.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <fstream>
#include <iterator>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace tomoshibi::relay {
namespace {

constexpr std::size_t password_bytes_max = 1024;

}  // namespace

struct smtp_worker::impl {
  struct entry {
    smtp_job job;
    done_handler done;
  };

  explicit impl(smtp_options o) : options(std::move(o)), thread([this] { run(); }) {}

  void run() {
    std::unique_lock lock(mutex);
    std::optional<curl_smtp> session;
    for (;;) {
      wake.wait(lock, [this] { return stopping || !queue.empty(); });
      if (queue.empty()) return;
      if (std::exchange(changed, false) || !session) session.emplace(options);
      auto next = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      auto outcome = stopping ? mail_result{mail_outcome::temporary, "stopping"} : session->send(next.job, stopping);
      next.done(std::move(outcome));
      lock.lock();
    }
  }

  std::mutex mutex;
  std::condition_variable wake;
  std::deque<entry> queue;         // guarded by mutex, like options and changed
  smtp_options options;
  bool changed = false;
  std::atomic<bool> stopping = false;
  std::thread thread;              // last: it uses the others
};

smtp_worker::smtp_worker(smtp_options options) : impl_(std::make_unique<impl>(std::move(options))) {}

smtp_worker::~smtp_worker() { stop(); }

void smtp_worker::submit(smtp_job job, done_handler done) {
  {
    std::lock_guard lock(impl_->mutex);
    if (!impl_->stopping && impl_->queue.size() < smtp_queue_max) {
      impl_->queue.push_back({std::move(job), std::move(done)});
      impl_->wake.notify_one();
      return;
    }
  }
  done({mail_outcome::temporary, "the relay's own mail queue is full or stopping"});
}

void smtp_worker::change(smtp_options options) {
  std::lock_guard lock(impl_->mutex);
  impl_->options = std::move(options);
  impl_->changed = true;
}

void smtp_worker::stop() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    impl_->wake.notify_one();
  }
  if (impl_->thread.joinable()) impl_->thread.join();
}

result<smtp_options> smtp_options_of(const mail_config& config) {
  if (config.security == mail_security::none && !loopback_address(config.server)) {
    return fail(errc::config_invalid, "mail.security: \"none\" is allowed only for a server on loopback");
  }
  smtp_options out{.server = config.server, .port = config.port, .security = config.security, .user = config.user,
                   .password = {}, .ca_file = config.ca_file, .ehlo_name = std::string{domain_of(config.from)},
                   .timeout_s = config.timeout_s};
  if (config.user.empty()) return out;
  std::ifstream file(config.password_file, std::ios::binary);
  out.password.assign(std::istreambuf_iterator<char>(file), {});
  while (out.password.ends_with('\n') || out.password.ends_with('\r')) out.password.pop_back();
  if (!file || out.password.empty() || out.password.size() > password_bytes_max) {
    return fail(errc::config_invalid, "mail.password_file: " + config.password_file +
                                          ": must be a readable file with the password in its only line");
  }
  return out;
}

}  // namespace tomoshibi::relay
