#include "relay/shell/curl_smtp.hpp"

#include "relay/core/mail_address.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace tomoshibi::relay {
namespace {

constexpr long reply_permanent_min = 500;
constexpr long connect_timeout_s_max = 30;
constexpr long idle_connection_s = 30;  // servers hang up on idle clients; a longer-kept connection is mostly dead

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

}  // namespace

struct curl_smtp::impl {
  explicit impl(smtp_options options) : options_(std::move(options)) {}
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;
  ~impl() { hang_up(SHUT_RD); }

  mail_result send(const smtp_job& job, const std::atomic<bool>& stopping) {
    if (!handle_) handle_.reset(curl_easy_init());
    if (!handle_) return {mail_outcome::temporary, "out of memory"};
    transfer t{.unsent = job.text, .reply = {}, .mail_begun = false, .quitting = false, .stopping = &stopping};
    set_server();
    set_mail(job, t);
    const list_ptr to{curl_slist_append(nullptr, ("<" + job.to + ">").c_str())};
    set(CURLOPT_MAIL_RCPT, to.get());
    const auto code = curl_easy_perform(handle_.get());
    auto done = code == CURLE_OK ? mail_result{mail_outcome::ok, without_addresses(t.reply, smtp_reply_bytes_max)}
                                 : judged(code, t);
    curl_easy_reset(handle_.get());  // keeps the connection, forgets what is about to go out of scope
    if (done.outcome == mail_outcome::temporary) hang_up(SHUT_RDWR);  // a fresh connection next time
    return done;
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

curl_smtp::curl_smtp(smtp_options options) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(ready);
  impl_ = std::make_unique<impl>(std::move(options));
}

curl_smtp::~curl_smtp() = default;

mail_result curl_smtp::send(const smtp_job& job, const std::atomic<bool>& stopping) { return impl_->send(job, stopping); }

}  // namespace tomoshibi::relay
