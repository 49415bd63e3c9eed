#include "protocol/adapters/tls_engine.hpp"

#include "protocol/adapters/mbedtls_support.hpp"
#include "protocol/base/check.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mbedtls/ssl.h>

namespace tomoshibi {
namespace {

constexpr std::size_t pem_bytes_max = 64 * 1024;

// The device channel speaks one dialect: P-256 certificates, ECDHE over P-256 or X25519.
constexpr std::uint16_t groups[] = {MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
                                    MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
constexpr std::uint16_t signatures[] = {MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256, MBEDTLS_TLS1_3_SIG_NONE};
constexpr int suites[] = {MBEDTLS_TLS1_3_AES_128_GCM_SHA256, MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256, 0};

result<std::string> read_pem(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return fail(errc::config_invalid, path + ": " + std::strerror(errno));
  std::string text(pem_bytes_max + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  const bool broken = std::ferror(file) != 0;
  std::fclose(file);
  if (broken) return fail(errc::config_invalid, path + ": cannot be read");
  if (text.size() > pem_bytes_max) return fail(errc::config_invalid, path + ": larger than 64 KiB");
  return text;
}

}  // namespace

result<tls_identity> load_tls_identity(const tls_identity_files& files) {
  tls_identity identity;
  for (auto [path, into] : {std::pair{&files.certificate, &identity.certificate_pem},
                            std::pair{&files.key, &identity.key_pem}, std::pair{&files.ca, &identity.ca_pem}}) {
    auto text = read_pem(*path);
    if (!text) return std::unexpected(text.error());
    *into = std::move(*text);
  }
  return identity;
}

// ---- the shared part

class tls_context {
public:
  tls_context(tls_date_source date, bool server) : date_(std::move(date)), server_(server) {
    mbedtls_ssl_config_init(&config_);
  }
  ~tls_context() { mbedtls_ssl_config_free(&config_); }
  tls_context(const tls_context&) = delete;
  tls_context& operator=(const tls_context&) = delete;

  status set_up(const tls_identity& identity);
  const mbedtls_ssl_config& config() const { return config_; }
  bool server() const { return server_; }

private:
  static int judge(void* self, mbedtls_x509_crt* crt, int depth, std::uint32_t* flags);

  mbedtls_ssl_config config_;
  mbed::certificate_chain own_;
  mbed::certificate_chain ca_;
  mbed::private_key key_;
  tls_date_source date_;
  bool server_;
};

status tls_context::set_up(const tls_identity& identity) {
  if (auto started = mbed::start(); !started) return started;
  if (auto parsed = own_.parse(identity.certificate_pem, "certificate"); !parsed) return parsed;
  if (auto parsed = ca_.parse(identity.ca_pem, "CA certificate"); !parsed) return parsed;
  if (auto parsed = key_.parse(identity.key_pem, "private key"); !parsed) return parsed;
  if (mbedtls_pk_check_pair(&own_.crt.pk, &key_.pk, mbed::random, nullptr) != 0)
    return fail(errc::config_invalid, "the private key does not belong to the certificate");

  const int side = server_ ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT;
  int rc = mbedtls_ssl_config_defaults(&config_, side, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
  if (rc != 0) return mbed::failed(rc, "TLS defaults");
  mbedtls_ssl_conf_rng(&config_, mbed::random, nullptr);
  mbedtls_ssl_conf_min_tls_version(&config_, MBEDTLS_SSL_VERSION_TLS1_3);
  mbedtls_ssl_conf_max_tls_version(&config_, MBEDTLS_SSL_VERSION_TLS1_3);
  mbedtls_ssl_conf_ciphersuites(&config_, suites);
  mbedtls_ssl_conf_groups(&config_, groups);
  mbedtls_ssl_conf_sig_algs(&config_, signatures);
  mbedtls_ssl_conf_authmode(&config_, MBEDTLS_SSL_VERIFY_REQUIRED);
  mbedtls_ssl_conf_ca_chain(&config_, &ca_.crt, nullptr);
  mbedtls_ssl_conf_verify(&config_, &tls_context::judge, this);
  // No tickets: what Mbed TLS 3.6 puts into a TLS 1.3 ticket does not name the client (docs/adr/0003).
  mbedtls_ssl_conf_tls13_key_exchange_modes(&config_, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL);
  rc = mbedtls_ssl_conf_own_cert(&config_, &own_.crt, &key_.pk);
  if (rc != 0) return mbed::failed(rc, "own certificate", errc::config_invalid);
  return {};
}

// Called for each certificate of the peer's chain. Mbed TLS has judged the dates by the machine's clock; ours count.
int tls_context::judge(void* self, mbedtls_x509_crt* crt, int, std::uint32_t* flags) {
  const auto& context = *static_cast<const tls_context*>(self);
  *flags &= ~static_cast<std::uint32_t>(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE);
  const std::optional<wall_at> now = context.date_ ? context.date_() : std::nullopt;
  if (!now) return 0;
  if (*now > mbed::to_wall(crt->valid_to)) *flags |= MBEDTLS_X509_BADCERT_EXPIRED;
  if (*now < mbed::to_wall(crt->valid_from)) *flags |= MBEDTLS_X509_BADCERT_FUTURE;
  return 0;
}

namespace {
result<tls_context_ptr> make_context(const tls_identity& identity, tls_date_source date, bool server) {
  auto context = std::make_shared<tls_context>(std::move(date), server);
  if (auto ready = context->set_up(identity); !ready) return std::unexpected(ready.error());
  return context;
}
}  // namespace

result<tls_context_ptr> make_tls_server(const tls_identity& identity, tls_date_source date) {
  return make_context(identity, std::move(date), true);
}
result<tls_context_ptr> make_tls_client(const tls_identity& identity, tls_date_source date) {
  return make_context(identity, std::move(date), false);
}

// ---- one connection

struct tls_engine::impl {
  enum class state { handshake, open, failed };

  explicit impl(tls_context_ptr c) : context(std::move(c)) { mbedtls_ssl_init(&ssl); }
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

  tls_context_ptr context;
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

void tls_engine::impl::know_peer() {
  const mbedtls_x509_crt* crt = mbedtls_ssl_get_peer_cert(&ssl);
  TOMO_REQUIRE(crt != nullptr);  // both sides must show one (VERIFY_REQUIRED), and there is no resumption
  peer.common_name = mbed::common_name(crt->subject);
  peer.sha256 = mbed::sha256_hex(*crt);
  peer.not_before = mbed::to_wall(crt->valid_from);
  peer.not_after = mbed::to_wall(crt->valid_to);
}

status tls_engine::impl::shake_hands() {
  const int rc = mbedtls_ssl_handshake(&ssl);
  if (rc == MBEDTLS_ERR_SSL_WANT_READ) return {};
  if (rc != 0) return broken(rc, "TLS handshake");
  now = state::open;
  know_peer();
  return {};
}

status tls_engine::impl::read_plain() {
  std::uint8_t buffer[4096];
  while (!peer_closed) {
    const int rc = mbedtls_ssl_read(&ssl, buffer, sizeof buffer);
    if (rc == MBEDTLS_ERR_SSL_WANT_READ) return {};
    if (rc == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) continue;
    if (rc == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY || rc == 0) {
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

result<tls_engine> tls_engine::start(tls_context_ptr context, const std::string& server_name) {
  auto made = std::make_unique<impl>(std::move(context));
  const bool server = made->context->server();
  if (!server && server_name.empty()) return fail(errc::config_invalid, "a TLS client needs the server's name");
  int rc = mbedtls_ssl_setup(&made->ssl, &made->context->config());
  if (rc == 0 && !server) rc = mbedtls_ssl_set_hostname(&made->ssl, server_name.c_str());
  if (rc != 0) return mbed::failed(rc, "TLS set-up");
  mbedtls_ssl_set_bio(&made->ssl, made.get(), &impl::give, &impl::take, nullptr);
  if (!server) {
    if (auto hello = made->advance(); !hello) return std::unexpected(hello.error());
  }
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
const tls_peer& tls_engine::peer() const { return impl_->peer; }

}  // namespace tomoshibi
