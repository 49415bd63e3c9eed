#include "tools/bench.d/load/client_tls.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>

namespace tomoshibi::load {
namespace {

struct freed {
  void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
  void operator()(SSL* p) const { SSL_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(SSL_SESSION* p) const { SSL_SESSION_free(p); }
  void operator()(BIO* p) const { BIO_free(p); }
};
template <class T>
using owned = std::unique_ptr<T, freed>;

struct identity {
  owned<X509> certificate;
  owned<EVP_PKEY> key;
  owned<SSL_SESSION> session;
};

std::unexpected<error> openssl_failed(std::string_view doing) {
  char text[256] = "unknown";
  if (const auto code = ERR_get_error(); code != 0) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return fail(errc::tls_failed, std::string{doing} + ": " + text);
}

owned<BIO> reading(const std::string& text) { return owned<BIO>{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))}; }

int keep_session(SSL* ssl, SSL_SESSION* session) {
  auto* who = static_cast<identity*>(SSL_get_app_data(ssl));
  who->session.reset(session);
  return 1;  // it is ours now
}

class connection final : public client_tls {
public:
  connection(SSL_CTX* context, identity& who) : ssl_(SSL_new(context)), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())) {
    SSL_set_bio(ssl_.get(), in_, out_);
    SSL_set_app_data(ssl_.get(), &who);
    SSL_use_certificate(ssl_.get(), who.certificate.get());
    SSL_use_PrivateKey(ssl_.get(), who.key.get());
    if (who.session) SSL_set_session(ssl_.get(), who.session.get());
    SSL_set_connect_state(ssl_.get());
  }
  // OpenSSL takes a connection that was not closed in order for a reason to forget its session; a cut line is none.
  ~connection() override { SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN); }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  status feed(byte_view cipher) override {
    if (!cipher.empty()) BIO_write(in_, cipher.data(), static_cast<int>(cipher.size()));
    if (!SSL_is_init_finished(ssl_.get())) {
      const int rc = SSL_do_handshake(ssl_.get());
      if (rc != 1) return waits(rc, "handshake");
    }
    char buffer[16 * 1024];
    for (;;) {
      const int n = SSL_read(ssl_.get(), buffer, sizeof buffer);
      if (n <= 0) return waits(n, "read");
      put_bytes(plain_, {reinterpret_cast<const std::uint8_t*>(buffer), static_cast<std::size_t>(n)});
    }
  }
  status write(byte_view plain) override {
    if (SSL_write(ssl_.get(), plain.data(), static_cast<int>(plain.size())) <= 0) return openssl_failed("write");
    return {};
  }
  bytes take_output() override {
    bytes out(BIO_ctrl_pending(out_));
    if (!out.empty()) BIO_read(out_, out.data(), static_cast<int>(out.size()));
    return out;
  }
  bytes take_plain() override { return std::exchange(plain_, {}); }
  bool open() const override { return SSL_is_init_finished(ssl_.get()) != 0; }
  bool resumed() const override { return SSL_session_reused(ssl_.get()) != 0; }

private:
  status waits(int rc, std::string_view doing) {
    const int why = SSL_get_error(ssl_.get(), rc);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return {};
    if (why == SSL_ERROR_ZERO_RETURN) return fail(errc::net_closed, "the peer closed the connection");
    return openssl_failed(doing);
  }

  owned<SSL> ssl_;
  BIO* in_;    // both belong to ssl_
  BIO* out_;
  bytes plain_;
};

class maker final : public client_tls_maker {
public:
  status set_up(const client_tls_options& options, const std::vector<member>& fleet);
  result<std::unique_ptr<client_tls>> start(std::size_t index) override {
    auto made = std::make_unique<connection>(context_.get(), identities_[index]);
    if (auto hello = made->feed({}); !hello) return std::unexpected(hello.error());
    return made;
  }

private:
  owned<SSL_CTX> context_;
  std::vector<identity> identities_;
};

status maker::set_up(const client_tls_options& options, const std::vector<member>& fleet) {
  context_.reset(SSL_CTX_new(TLS_client_method()));
  const int version = options.kind == "openssl12" ? TLS1_2_VERSION : TLS1_3_VERSION;
  SSL_CTX_set_min_proto_version(context_.get(), version);
  SSL_CTX_set_max_proto_version(context_.get(), version);
  SSL_CTX_set_mode(context_.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context_.get(), keep_session);
  const owned<X509> ca{PEM_read_bio_X509(reading(options.ca_pem).get(), nullptr, nullptr, nullptr)};
  if (!ca || X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), ca.get()) != 1) return openssl_failed("CA");
  X509_VERIFY_PARAM* checks = SSL_CTX_get0_param(context_.get());
  in_addr ignored{};
  const bool address = inet_pton(AF_INET, options.server_name.c_str(), &ignored) == 1;
  if (address) X509_VERIFY_PARAM_set1_ip_asc(checks, options.server_name.c_str());
  else X509_VERIFY_PARAM_set1_host(checks, options.server_name.c_str(), 0);
  identities_.reserve(fleet.size());
  for (const member& m : fleet) {
    identity who;
    who.certificate.reset(PEM_read_bio_X509(reading(m.certificate_pem).get(), nullptr, nullptr, nullptr));
    who.key.reset(PEM_read_bio_PrivateKey(reading(m.key_pem).get(), nullptr, nullptr, nullptr));
    if (!who.certificate || !who.key) return openssl_failed("certificate or key of " + m.name);
    identities_.push_back(std::move(who));
  }
  return {};
}

}  // namespace

result<std::unique_ptr<client_tls_maker>> make_openssl_tls(const client_tls_options& options, const std::vector<member>& fleet) {
  auto made = std::make_unique<maker>();
  if (auto ready = made->set_up(options, fleet); !ready) return std::unexpected(ready.error());
  return made;
}

}  // namespace tomoshibi::load
