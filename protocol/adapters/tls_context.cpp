#include "protocol/adapters/tls_context.hpp"

#include "protocol/adapters/pki.hpp"
#include "protocol/base/check.hpp"

#include <algorithm>
#include <mbedtls/platform_util.h>

namespace tomoshibi {
namespace {

// The device channel speaks one dialect: P-256 certificates, ECDHE over P-256 or X25519.
constexpr std::uint16_t groups[] = {MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
                                    MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
constexpr std::uint16_t signatures[] = {MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256, MBEDTLS_TLS1_3_SIG_NONE};
constexpr int suites[] = {MBEDTLS_TLS1_3_AES_128_GCM_SHA256, MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256, 0};

constexpr int full_handshake = MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL;
constexpr int resumption = MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK;   // docs/adr/0010 says why without a key exchange

constexpr std::size_t names_held_max = 4;           // relays that one gateway knows

void know(const mbedtls_x509_crt& crt, tls_peer& peer) {
  peer.common_name = mbed::common_name(crt.subject);
  peer.sha256 = mbed::sha256_hex(crt);
  peer.not_before = mbed::to_wall(crt.valid_from);
  peer.not_after = mbed::to_wall(crt.valid_to);
}

}  // namespace

status tls_context::set_up(const tls_identity& identity) {
  if (auto started = mbed::start(); !started) return started;
  if (auto parsed = ca_.parse(identity.ca_pem, "CA certificate"); !parsed) return parsed;
  if (!server_ && identity.certificate_pem.empty() && identity.key_pem.empty()) return configure(config_, full_handshake);
  if (auto parsed = own_.parse(identity.certificate_pem, "certificate"); !parsed) return parsed;
  if (auto parsed = key_.parse(identity.key_pem, "private key"); !parsed) return parsed;
  if (mbedtls_pk_check_pair(&own_.crt.pk, &key_.pk, mbed::random, nullptr) != 0)
    return fail(errc::config_invalid, "the private key does not belong to the certificate");

  return configure(config_, full_handshake);
}

status tls_context::configure(mbedtls_ssl_config& config, int modes) {
  const int side = server_ ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT;
  int rc = mbedtls_ssl_config_defaults(&config, side, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
  if (rc != 0) return mbed::failed(rc, "TLS defaults");
  mbedtls_ssl_conf_rng(&config, mbed::random, nullptr);
  mbedtls_ssl_conf_min_tls_version(&config, MBEDTLS_SSL_VERSION_TLS1_3);
  mbedtls_ssl_conf_max_tls_version(&config, MBEDTLS_SSL_VERSION_TLS1_3);
  mbedtls_ssl_conf_ciphersuites(&config, suites);
  mbedtls_ssl_conf_groups(&config, groups);
  mbedtls_ssl_conf_sig_algs(&config, signatures);
  mbedtls_ssl_conf_authmode(&config, MBEDTLS_SSL_VERIFY_REQUIRED);
  mbedtls_ssl_conf_ca_chain(&config, &ca_.crt, nullptr);
  mbedtls_ssl_conf_verify(&config, &tls_context::judge, this);
  mbedtls_ssl_conf_tls13_key_exchange_modes(&config, modes);
  // The relay says little: short records, and a short buffer for them.
  if (server_) mbedtls_ssl_conf_max_frag_len(&config, MBEDTLS_SSL_MAX_FRAG_LEN_512);
  if (own_.crt.raw.p == nullptr) return {};
  rc = mbedtls_ssl_conf_own_cert(&config, &own_.crt, &key_.pk);
  if (rc != 0) return mbed::failed(rc, "own certificate", errc::config_invalid);
  return {};
}

int tls_context::shake_hands(mbedtls_ssl_context& ssl, tls_proof& proof) {
  proof_ = &proof;
  const int rc = mbedtls_ssl_handshake(&ssl);
  proof_ = nullptr;
  return rc;
}

// Called for each certificate of the peer's chain. Mbed TLS has judged the dates by the machine's clock; ours count.
int tls_context::judge(void* self, mbedtls_x509_crt* crt, int depth, std::uint32_t* flags) {
  const auto& context = *static_cast<const tls_context*>(self);
  *flags &= ~static_cast<std::uint32_t>(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE);
  const std::optional<wall_at> now = context.date();
  if (now && *now > mbed::to_wall(crt->valid_to)) *flags |= MBEDTLS_X509_BADCERT_EXPIRED;
  if (now && *now < mbed::to_wall(crt->valid_from)) *flags |= MBEDTLS_X509_BADCERT_FUTURE;
  if (depth == 0 && context.proof_ != nullptr) {
    // Whether the chain is good decides Mbed TLS afterwards; if it is not, the handshake ends and nobody asks for this.
    know(*crt, context.proof_->peer);
    context.proof_->how = tls_proof::by::certificate;
    context.proof_->proved = now.value_or(wall_at{});
  }
  return 0;
}

// ---- server: tickets

void tls_context::issue_tickets(std::shared_ptr<const ticket_keys> keys) {
  TOMO_REQUIRE(server_ && keys);
  seal_.emplace(std::move(keys), certificates_digest());
  mbedtls_ssl_conf_session_tickets_cb(&config_, &tls_context::write_ticket, &tls_context::read_ticket, this);
  mbedtls_ssl_conf_tls13_key_exchange_modes(&config_, full_handshake | resumption);
}

ticket_seal::binding tls_context::certificates_digest() const {
  bytes all(own_.crt.raw.p, own_.crt.raw.p + own_.crt.raw.len);
  for (const mbedtls_x509_crt* ca = &ca_.crt; ca != nullptr && ca->raw.p != nullptr; ca = ca->next)
    put_bytes(all, {ca->raw.p, ca->raw.len});
  return sha256(all);
}

// Mbed TLS asks in the middle of the handshake and would end it over a refusal. So where none can be had the client gets
// one that never opens and says so (lifetime 0), and shows its certificate the next time.
int tls_context::write_ticket(void* self, const mbedtls_ssl_session* session, unsigned char* start, const unsigned char* end,
                              std::size_t* size, std::uint32_t* lifetime_s) {
  const auto room = static_cast<std::size_t>(end - start);
  bytes ticket = static_cast<tls_context*>(self)->ticket_for(*session);
  *lifetime_s = ticket.empty() ? 0 : static_cast<std::uint32_t>(std::chrono::floor<std::chrono::seconds>(ticket_life).count());
  if (ticket.empty()) ticket = {0};
  if (ticket.size() > room) return MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
  std::ranges::copy(ticket, start);
  *size = ticket.size();
  return 0;
}

bytes tls_context::ticket_for(const mbedtls_ssl_session& session) {
  const std::optional<wall_at> now = date();
  if (!now || proof_ == nullptr || proof_->how == tls_proof::by::nothing) return {};
  ticket_content content{.peer = proof_->peer, .proved = proof_->proved, .issued = *now, .session = {}};
  content.session.resize(session_bytes_max);
  std::size_t saved = 0;
  if (mbedtls_ssl_session_save(&session, content.session.data(), content.session.size(), &saved) != 0) return {};
  content.session.resize(saved);
  auto sealed = seal_->seal(content);
  mbedtls_platform_zeroize(content.session.data(), content.session.size());
  return sealed ? std::move(*sealed) : bytes{};
}

// Called for each ticket a client offers, until one can be used; none that can leads to a full handshake. The last one that
// was read is the one in use, so each call begins by forgetting the one before.
int tls_context::read_ticket(void* self, mbedtls_ssl_session* session, unsigned char* ticket, std::size_t size) {
  auto& me = *static_cast<tls_context*>(self);
  if (me.proof_ == nullptr) return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
  *me.proof_ = {};
  const std::optional<wall_at> now = me.date();
  if (!now) return MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED;   // tickets are judged by time
  auto content = me.seal_->open({ticket, size});
  if (!content) return MBEDTLS_ERR_SSL_INVALID_MAC;
  if (!usable(*content, *now)) return MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED;
  const int rc = mbedtls_ssl_session_load(session, content->session.data(), content->session.size());
  mbedtls_platform_zeroize(content->session.data(), content->session.size());
  if (rc != 0) return rc;
  // Mbed TLS counts a ticket's age by a clock that begins anew when the machine starts. Its age has been judged above.
  session->MBEDTLS_PRIVATE(ticket_creation_time) = mbedtls_ms_time();
  me.proof_->how = tls_proof::by::ticket;
  me.proof_->peer = std::move(content->peer);
  me.proof_->proved = content->proved;
  return 0;
}

// ---- client: sessions

// A server of Mbed TLS prefers a certificate to a ticket without a key exchange. So a client that offers a ticket offers
// nothing else; one that is refused dials again with its certificate.
status tls_context::take_tickets() {
  TOMO_REQUIRE(!server_);
  if (auto ready = configure(resuming_, resumption); !ready) return ready;
  for (mbedtls_ssl_config* config : {&config_, &resuming_})
    mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(config, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
  mbedtls_ssl_conf_tls13_key_exchange_modes(&config_, full_handshake | resumption);
  return {};
}

const tls_held_session* tls_context::held(const std::string& server_name) const {
  const auto found = held_.find(server_name);
  if (found == held_.end()) return nullptr;
  const std::optional<wall_at> now = date();
  if (now && (*now < found->second.peer.not_before || *now > found->second.peer.not_after)) return nullptr;
  return &found->second;
}

void tls_context::hold(const std::string& server_name, tls_held_session session) {
  if (held_.size() >= names_held_max && !held_.contains(server_name)) held_.erase(held_.begin());
  held_.insert_or_assign(server_name, std::move(session));
}

namespace {
result<std::shared_ptr<tls_context>> make_context(const tls_identity& identity, tls_date_source date, bool server) {
  auto context = std::make_shared<tls_context>(std::move(date), server);
  if (auto ready = context->set_up(identity); !ready) return std::unexpected(ready.error());
  return context;
}
}  // namespace

result<tls_context_ptr> make_tls_server(const tls_identity& identity, tls_date_source date,
                                        std::shared_ptr<const ticket_keys> tickets) {
  auto context = make_context(identity, std::move(date), true);
  if (context && tickets) (*context)->issue_tickets(std::move(tickets));
  return context;
}

result<tls_context_ptr> make_tls_client(const tls_identity& identity, tls_date_source date, tls_resumption wanted) {
  auto context = make_context(identity, std::move(date), false);
  if (!context || wanted == tls_resumption::off) return context;
  if (auto ready = (*context)->take_tickets(); !ready) return std::unexpected(ready.error());
  return context;
}

}  // namespace tomoshibi
