#include "relay/shell/smtp_worker.hpp"

#include "relay/core/mail_address.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <fstream>
#include <iterator>
#include <mutex>
#include <optional>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace tomoshibi::relay {
namespace {

constexpr long reply_permanent_min = 500;
constexpr long connect_timeout_s_max = 30;
constexpr long idle_connection_s = 30;  // servers hang up on idle clients; a longer-kept connection is mostly dead
constexpr std::size_t password_bytes_max = 1024;

struct curl_deleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using curl_ptr = std::unique_ptr<CURL, curl_deleter>;
using list_ptr = std::unique_ptr<curl_slist, curl_deleter>;

// What one transfer sees and gives.
struct transfer {
  std::string_view unsent;
  std::string reply;               // the server's last line
  bool mail_begun = false;         // the server was told MAIL FROM: its 5xx now concern this mail
  bool quitting = false;           // what it says from now on is only politeness
  const std::atomic<bool>* stopping = nullptr;
};

std::size_t give_text(char* into, std::size_t size, std::size_t count, void* user) {
  auto& t = *static_cast<transfer*>(user);
  const auto n = std::min(size * count, t.unsent.size());
  std::memcpy(into, t.unsent.data(), n);
  t.unsent.remove_prefix(n);
  return n;
}

std::size_t take_reply(char* data, std::size_t size, std::size_t count, void* user) {
  auto& t = *static_cast<transfer*>(user);
  if (!t.quitting) t.reply.assign(data, std::min<std::size_t>(size * count, 1000));
  return size * count;
}

std::size_t take_nothing(char*, std::size_t size, std::size_t count, void*) { return size * count; }

// Only watched for MAIL and QUIT; what passes here (credentials too) is not kept.
int watch_commands(CURL*, curl_infotype type, char* data, std::size_t size, void* user) {
  auto& t = *static_cast<transfer*>(user);
  const std::string_view text{data, size};
  if (type == CURLINFO_HEADER_OUT && text.starts_with("MAIL FROM")) t.mail_begun = true;
  if (type == CURLINFO_HEADER_OUT && text.starts_with("QUIT")) t.quitting = true;
  return 0;
}

int watch_stop(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<transfer*>(user)->stopping->load() ? 1 : 0;
}

std::string url_of(const smtp_options& o) {
  const std::string host = o.server.contains(':') ? "[" + o.server + "]" : o.server;
  return (o.security == mail_security::tls ? "smtps://" : "smtp://") + host + ":" + std::to_string(o.port) + "/" +
         o.ehlo_name;
}

using sockets = std::vector<curl_socket_t>;

int socket_opened(void* user, curl_socket_t fd, curlsocktype) {
  static_cast<sockets*>(user)->push_back(fd);
  return CURL_SOCKOPT_OK;
}

int socket_closed(void* user, curl_socket_t fd) {
  std::erase(*static_cast<sockets*>(user), fd);
  return ::close(fd);
}

class smtp_session {
public:
  explicit smtp_session(smtp_options options) : options_(std::move(options)) {}
  smtp_session(const smtp_session&) = delete;
  smtp_session& operator=(const smtp_session&) = delete;
  ~smtp_session() { hang_up(SHUT_RD); }

  mail_result send(const smtp_job& job, const std::atomic<bool>& stopping) {
    if (!handle_) handle_.reset(curl_easy_init());
    if (!handle_) return {mail_outcome::temporary, "out of memory"};
    transfer t{.unsent = job.text, .reply = {}, .mail_begun = false, .quitting = false, .stopping = &stopping};
    curl_easy_reset(handle_.get());  // keeps the connection
    set_server();
    set_mail(job, t);
    const list_ptr to{curl_slist_append(nullptr, ("<" + job.to + ">").c_str())};
    set(CURLOPT_MAIL_RCPT, to.get());
    const auto code = curl_easy_perform(handle_.get());
    if (code == CURLE_OK) return {mail_outcome::ok, without_addresses(t.reply, smtp_reply_bytes_max)};
    auto failed = judged(code, t);
    if (failed.outcome == mail_outcome::temporary) hang_up(SHUT_RDWR);  // a fresh connection next time
    return failed;
  }

private:
  // libcurl says QUIT and waits up to two minutes for the answer of a server that may be dead: it shall not wait.
  void hang_up(int direction) {
    for (const auto fd : sockets_) ::shutdown(fd, direction);
    handle_.reset();
  }

  template <class V>
  void set(CURLoption option, V value) { curl_easy_setopt(handle_.get(), option, value); }

  void set_server() {
    set(CURLOPT_URL, url_of(options_).c_str());
    set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    set(CURLOPT_PROXY, "");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_TIMEOUT, static_cast<long>(options_.timeout_s));
    set(CURLOPT_CONNECTTIMEOUT, std::min<long>(options_.timeout_s, connect_timeout_s_max));
    set(CURLOPT_MAXAGE_CONN, idle_connection_s);
    set(CURLOPT_SOCKOPTFUNCTION, &socket_opened);
    set(CURLOPT_SOCKOPTDATA, &sockets_);
    set(CURLOPT_CLOSESOCKETFUNCTION, &socket_closed);
    set(CURLOPT_CLOSESOCKETDATA, &sockets_);
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (options_.security == mail_security::starttls) set(CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
    if (!options_.ca_file.empty()) set(CURLOPT_CAINFO, options_.ca_file.c_str());
    if (options_.user.empty()) return;
    set(CURLOPT_USERNAME, options_.user.c_str());
    set(CURLOPT_PASSWORD, options_.password.c_str());
  }

  void set_mail(const smtp_job& job, transfer& t) {
    set(CURLOPT_MAIL_FROM, ("<" + job.from + ">").c_str());
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_READFUNCTION, &give_text);
    set(CURLOPT_READDATA, &t);
    set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(job.text.size()));
    set(CURLOPT_WRITEFUNCTION, &take_nothing);
    set(CURLOPT_HEADERFUNCTION, &take_reply);
    set(CURLOPT_HEADERDATA, &t);
    set(CURLOPT_VERBOSE, 1L);
    set(CURLOPT_DEBUGFUNCTION, &watch_commands);
    set(CURLOPT_DEBUGDATA, &t);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &watch_stop);
    set(CURLOPT_XFERINFODATA, &t);
  }

  mail_result judged(CURLcode code, const transfer& t) {
    long reply = 0;
    curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &reply);
    const bool permanent = t.mail_begun && reply >= reply_permanent_min && code != CURLE_OPERATION_TIMEDOUT;
    std::string text = curl_easy_strerror(code);
    if (code == CURLE_USE_SSL_FAILED && !t.mail_begun) text = "no STARTTLS or it was refused";
    if (!t.reply.empty()) text += "; last reply: " + t.reply;
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    return {permanent ? mail_outcome::permanent : mail_outcome::temporary, without_addresses(text, smtp_reply_bytes_max)};
  }

  smtp_options options_;
  sockets sockets_;                // open ones, of handle_
  curl_ptr handle_;
};

}  // namespace

struct smtp_worker::impl {
  struct entry {
    smtp_job job;
    done_handler done;
  };

  explicit impl(smtp_options o) : options(std::move(o)), thread([this] { run(); }) {}

  void run() {
    std::unique_lock lock(mutex);
    std::optional<smtp_session> session;
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

smtp_worker::smtp_worker(smtp_options options) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);  // before the first thread of ours
  static_cast<void>(ready);
  impl_ = std::make_unique<impl>(std::move(options));
}

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
    return fail(errc::config_invalid, "mail.password_file: a readable file with the password in its only line");
  }
  return out;
}

}  // namespace tomoshibi::relay
