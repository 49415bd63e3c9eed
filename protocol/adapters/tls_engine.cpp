#include "protocol/adapters/tls_engine.hpp"

#include "protocol/adapters/tls_context.hpp"
#include "protocol/base/check.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mbedtls/platform.h>
#include <sys/stat.h>

// Internal to Mbed TLS 3.6 (library/ssl_misc.h; tools/sources.lock pins the version). In TLS 1.3 nothing else lets go of
// what only the handshake needs, which is half of a connection's memory; TLS 1.2 and DTLS call it themselves.
extern "C" void mbedtls_ssl_handshake_wrapup_free_hs_transform(mbedtls_ssl_context* ssl);

namespace tomoshibi {
namespace {

constexpr std::size_t pem_bytes_max = 64 * 1024;

// `name`: key and path, as errors begin.
result<std::string> read_pem(const std::string& path, const std::string& name) {
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return fail(errc::config_invalid, name + ": " + std::strerror(errno));
  std::string text(pem_bytes_max + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  const int broken = std::ferror(file) != 0 ? errno : 0;
  std::fclose(file);
  if (broken != 0) return fail(errc::config_invalid, name + ": " + std::strerror(broken));
  if (text.size() > pem_bytes_max) return fail(errc::config_invalid, name + ": larger than 64 KiB");
  return text;
}

// A group may read it (that is how a service's account gets it); a key that everybody can read is no secret any more, and one
// that others can write is somebody else's.
status check_key_mode(const std::string& path, const std::string& name) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return {};  // read_pem() told why, or it went this moment
  if ((found.st_mode & (S_IWGRP | S_IRWXO)) == 0) return {};
  char mode[8];
  std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(found.st_mode & 07777U));
  return fail(errc::config_invalid, name + ": a private key with mode " + mode + ", 0640 or less is allowed; chmod 0640 " + path);
}

std::string name_of_file(const tls_identity_files& files, std::string_view key, const std::string& path) {
  return files.table.empty() ? path : files.table + "." + std::string(key) + ": " + path;
}

// What a context would find as well, but without saying in which file.
status check_usable(const tls_identity& identity, const tls_identity_files& files) {
  if (auto started = mbed::start(); !started) return started;
  static constexpr const char* certificate_wanted = ": must be a certificate (PEM)";
  const std::string key = name_of_file(files, "key", files.key);
  mbed::certificate_chain own, ca;
  mbed::private_key own_key;
  if (auto ok = ca.parse(identity.ca_pem, name_of_file(files, "ca", files.ca) + certificate_wanted); !ok) return ok;
  if (files.certificate.empty() && files.key.empty()) return {};
  if (auto ok = own.parse(identity.certificate_pem, name_of_file(files, "certificate", files.certificate) + certificate_wanted); !ok)
    return ok;
  if (auto ok = own_key.parse(identity.key_pem, key + ": must be a private key (PEM) without a password"); !ok) return ok;
  if (mbedtls_pk_check_pair(&own.crt.pk, &own_key.pk, mbed::random, nullptr) == 0) return {};
  return fail(errc::config_invalid, key + ": must be the private key of the certificate " + files.certificate + ", and is another one");
}

}  // namespace

result<tls_identity> read_tls_identity(const tls_identity_files& files) {
  struct file {
    const char* key;
    const std::string& path;
    std::string& into;
  };
  tls_identity identity;
  for (const file& f : {file{"certificate", files.certificate, identity.certificate_pem}, file{"key", files.key, identity.key_pem},
                        file{"ca", files.ca, identity.ca_pem}}) {
    if (f.path.empty() && &f.path != &files.ca) continue;
    auto text = read_pem(f.path, name_of_file(files, f.key, f.path));
    if (!text) return std::unexpected(text.error());
    f.into = std::move(*text);
  }
  return identity;
}

result<tls_identity> load_tls_identity(const tls_identity_files& files) {
  auto read = read_tls_identity(files);
  if (!read) return read;
  tls_identity& identity = *read;
  // First what it is: the mode of a certificate that was named as the key is not what is wrong with it.
  if (auto ok = check_usable(identity, files); !ok) return std::unexpected(ok.error());
  if (!files.key.empty())
    if (auto ok = check_key_mode(files.key, name_of_file(files, "key", files.key)); !ok) return std::unexpected(ok.error());
  return read;
}

namespace {

struct held_session {
  held_session() { mbedtls_ssl_session_init(&session); }
  ~held_session() { mbedtls_ssl_session_free(&session); }
  held_session(const held_session&) = delete;
  held_session& operator=(const held_session&) = delete;
  mbedtls_ssl_session session;
};

}  // namespace

// ---- one connection

struct tls_engine::impl {
  enum class state { handshake, open, failed };

  impl(tls_context_ptr c, const std::string& name)
      : context(std::move(c)), server_name(name), proof(std::make_unique<tls_proof>()) {
    mbedtls_ssl_init(&ssl);
  }
  ~impl() { mbedtls_ssl_free(&ssl); }
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  static int take(void* self, unsigned char* into, std::size_t size);
  static int give(void* self, const unsigned char* data, std::size_t size);
  status advance();
  status shake_hands();
  status read_plain();
  std::unexpected<error> broken(int rc, std::string_view doing);
  void know_peer();
  void let_go();
  status offer_session();
  void keep_session();

  tls_context_ptr context;
  std::string server_name;                 // client only
  std::unique_ptr<tls_proof> proof;        // while the handshake lasts
  std::optional<tls_peer> offered;         // whose session was offered, while the handshake lasts
  mbedtls_ssl_context ssl;
  byte_view input;        // of the feed() that runs; Mbed TLS takes all of it or the connection is over
  bytes output;
  bytes plain;
  state now = state::handshake;
  bool peer_closed = false;
  bool we_closed = false;
  error why;              // state failed
  tls_peer peer;
};

int tls_engine::impl::take(void* self, unsigned char* into, std::size_t size) {
  auto& me = *static_cast<impl*>(self);
  if (me.input.empty()) return MBEDTLS_ERR_SSL_WANT_READ;
  const std::size_t n = std::min(size, me.input.size());
  std::memcpy(into, me.input.data(), n);
  me.input = me.input.subspan(n);
  return static_cast<int>(n);
}

int tls_engine::impl::give(void* self, const unsigned char* data, std::size_t size) {
  put_bytes(static_cast<impl*>(self)->output, {data, size});
  return static_cast<int>(size);
}

std::unexpected<error> tls_engine::impl::broken(int rc, std::string_view doing) {
  now = state::failed;
  std::unexpected<error> failure = mbed::failed(rc, doing);
  const std::uint32_t flags = mbedtls_ssl_get_verify_result(&ssl);
  if (rc == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED && flags != 0 && flags != UINT32_MAX) {
    char text[512];
    const int size = mbedtls_x509_crt_verify_info(text, sizeof text, "", flags);
    std::string reason(text, size > 0 ? static_cast<std::size_t>(size) : 0);
    while (!reason.empty() && reason.back() == '\n') reason.pop_back();
    for (char& c : reason)
      if (c == '\n') c = ';';
    failure = fail(errc::tls_failed, std::string(doing) + ": peer's certificate refused: " + reason);
  }
  why = failure.error();
  return failure;
}

status tls_engine::impl::shake_hands() {
  const int rc = context->shake_hands(ssl, *proof);
  if (rc == MBEDTLS_ERR_SSL_WANT_READ) return {};
  if (rc != 0) {
    if (offered) context->forget(server_name);   // whatever was wrong
    return broken(rc, "TLS handshake");
  }
  now = state::open;
  know_peer();
  let_go();
  return {};
}

void tls_engine::impl::know_peer() {
  peer = std::move(proof->peer);
  peer.resumed = proof->how != tls_proof::by::certificate;
  if (proof->how == tls_proof::by::nothing) {
    // A client that was shown no certificate was answered by whoever can open its ticket: the server it had verified.
    TOMO_REQUIRE(offered);
    peer = std::move(*offered);
    peer.resumed = true;
  }
  proof.reset();
  offered.reset();
}

// An idle connection holds what its records need and no more. A client reads its ticket with what the handshake left.
void tls_engine::impl::let_go() {
  mbedtls_ssl_session* session = ssl.MBEDTLS_PRIVATE(session);
  if (session != nullptr && session->MBEDTLS_PRIVATE(peer_cert) != nullptr) {
    mbedtls_x509_crt_free(session->MBEDTLS_PRIVATE(peer_cert));
    mbedtls_free(session->MBEDTLS_PRIVATE(peer_cert));
    session->MBEDTLS_PRIVATE(peer_cert) = nullptr;   // Mbed TLS 3.6 insists on keeping it in TLS 1.3; we have read it
  }
  if (context->server()) mbedtls_ssl_handshake_wrapup_free_hs_transform(&ssl);
}

// ---- a client's session, to be known again by

status tls_engine::impl::offer_session() {
  const tls_held_session* held = context->held(server_name);
  held_session saved;
  int rc = mbedtls_ssl_session_load(&saved.session, held->session.data(), held->session.size());
  if (rc == 0) rc = mbedtls_ssl_set_session(&ssl, &saved.session);
  if (rc != 0) return mbed::failed(rc, "TLS session");
  offered = held->peer;
  return {};
}

void tls_engine::impl::keep_session() {
  held_session fresh;
  bytes saved(session_bytes_max);
  std::size_t size = 0;
  if (mbedtls_ssl_get_session(&ssl, &fresh.session) != 0) return;
  if (mbedtls_ssl_session_save(&fresh.session, saved.data(), saved.size(), &size) != 0) return;
  saved.resize(size);
  context->hold(server_name, {.session = std::move(saved), .peer = peer});
}

status tls_engine::impl::read_plain() {
  std::uint8_t buffer[4096];
  bool again = false;
  while (!peer_closed) {
    const int rc = mbedtls_ssl_read(&ssl, buffer, sizeof buffer);
    if (rc == MBEDTLS_ERR_SSL_WANT_READ) {
      // To a client also said half-way through a ticket, which has arrived and is read by the next call.
      if (again || context->server()) return {};
      again = true;
      continue;
    }
    again = false;
    if (rc == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) {
      keep_session();
    } else if (rc == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY || rc == 0) {
      peer_closed = true;
    } else if (rc < 0) {
      return broken(rc, "TLS");
    } else {
      put_bytes(plain, {buffer, static_cast<std::size_t>(rc)});
    }
  }
  return {};
}

status tls_engine::impl::advance() {
  if (now == state::handshake) {
    if (auto went = shake_hands(); !went) return went;
  }
  if (now == state::open) return read_plain();
  return {};
}

tls_engine::tls_engine(std::unique_ptr<impl> p) : impl_(std::move(p)) {}
tls_engine::tls_engine(tls_engine&&) noexcept = default;
tls_engine& tls_engine::operator=(tls_engine&&) noexcept = default;
tls_engine::~tls_engine() = default;

result<tls_engine> tls_engine::start(tls_context_ptr context, const std::string& server_name, tls_resumption resumption) {
  auto made = std::make_unique<impl>(std::move(context), server_name);
  const bool server = made->context->server();
  if (!server && server_name.empty()) return fail(errc::config_invalid, "a TLS client needs the server's name");
  const bool resuming = !server && resumption == tls_resumption::on && made->context->held(server_name) != nullptr;
  int rc = mbedtls_ssl_setup(&made->ssl, &made->context->config(resuming));
  if (rc == 0 && !server) rc = mbedtls_ssl_set_hostname(&made->ssl, server_name.c_str());
  if (rc != 0) return mbed::failed(rc, "TLS set-up");
  mbedtls_ssl_set_bio(&made->ssl, made.get(), &impl::give, &impl::take, nullptr);
  if (server) return tls_engine{std::move(made)};
  if (resuming) {
    if (auto offered = made->offer_session(); !offered) return std::unexpected(offered.error());
  }
  if (auto hello = made->advance(); !hello) return std::unexpected(hello.error());
  return tls_engine{std::move(made)};
}

status tls_engine::feed(byte_view cipher) {
  if (impl_->now == impl::state::failed) return std::unexpected(impl_->why);
  if (impl_->peer_closed) return {};
  impl_->input = cipher;
  auto went = impl_->advance();
  impl_->input = {};
  return went;
}

status tls_engine::write(byte_view data) {
  if (impl_->now == impl::state::failed) return std::unexpected(impl_->why);
  if (!open() || impl_->we_closed) return fail(errc::tls_failed, "TLS write outside of an open connection");
  while (!data.empty()) {
    const int rc = mbedtls_ssl_write(&impl_->ssl, data.data(), data.size());
    if (rc <= 0) return impl_->broken(rc, "TLS write");
    data = data.subspan(static_cast<std::size_t>(rc));
  }
  return {};
}

void tls_engine::close() {
  if (!open() || impl_->we_closed) return;
  impl_->we_closed = true;
  mbedtls_ssl_close_notify(&impl_->ssl);
}

bytes tls_engine::take_output() { return std::exchange(impl_->output, {}); }
bytes tls_engine::take_plain() { return std::exchange(impl_->plain, {}); }
bool tls_engine::open() const { return impl_->now == impl::state::open; }
bool tls_engine::closed() const { return impl_->peer_closed; }
bool tls_engine::refused_ticket() const { return impl_->now == impl::state::failed && impl_->offered.has_value(); }
const tls_peer& tls_engine::peer() const { return impl_->peer; }

}  // namespace tomoshibi
