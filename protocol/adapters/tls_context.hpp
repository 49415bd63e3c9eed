// What all connections of one side share, as Mbed TLS wants it. Included by tls_context.cpp and tls_engine.cpp only.
#pragma once

#include "protocol/adapters/mbedtls_support.hpp"
#include "protocol/adapters/ticket_seal.hpp"
#include "protocol/adapters/tls_engine.hpp"

#include <map>
#include <mbedtls/ssl.h>
#include <optional>

namespace tomoshibi {

inline constexpr std::size_t session_bytes_max = 1024;   // one of Mbed TLS, serialised: secrets, times, host name, ticket

// What one handshake has learned of the peer. A certificate that was shown outweighs a ticket that was offered beside it.
struct tls_proof {
  enum class by : std::uint8_t { nothing, ticket, certificate };
  by how = by::nothing;
  tls_peer peer;
  wall_at proved{};        // when the peer showed its certificate; 1970 if the time is not known
};

// What a client keeps to be known again: a secret, as good as the key of its certificate while it lasts.
struct tls_held_session {
  bytes session;           // Mbed TLS's serialised session with the ticket
  tls_peer peer;           // the server, as it was verified
};

class tls_context {
public:
  tls_context(tls_date_source date, bool server) : date_(std::move(date)), server_(server) {
    mbedtls_ssl_config_init(&config_);
    mbedtls_ssl_config_init(&resuming_);
  }
  ~tls_context() {
    mbedtls_ssl_config_free(&resuming_);
    mbedtls_ssl_config_free(&config_);
  }
  tls_context(const tls_context&) = delete;
  tls_context& operator=(const tls_context&) = delete;

  status set_up(const tls_identity& identity);
  void issue_tickets(std::shared_ptr<const ticket_keys> keys);   // server: before the first connection
  status take_tickets();                                         // client

  const mbedtls_ssl_config& config(bool resuming) const { return resuming ? resuming_ : config_; }
  bool server() const { return server_; }

  // One step of a handshake. What Mbed TLS's callbacks find goes into `proof`: they are told the context, not the connection.
  int shake_hands(mbedtls_ssl_context& ssl, tls_proof& proof);

  // Client: one session for each server name.
  const tls_held_session* held(const std::string& server_name) const;
  void hold(const std::string& server_name, tls_held_session session);
  void forget(const std::string& server_name) { held_.erase(server_name); }

private:
  status configure(mbedtls_ssl_config& config, int modes);
  static int judge(void* self, mbedtls_x509_crt* crt, int depth, std::uint32_t* flags);
  static int write_ticket(void* self, const mbedtls_ssl_session* session, unsigned char* start, const unsigned char* end,
                          std::size_t* size, std::uint32_t* lifetime_s);
  static int read_ticket(void* self, mbedtls_ssl_session* session, unsigned char* ticket, std::size_t size);
  bytes ticket_for(const mbedtls_ssl_session& session);          // empty: none can be made
  std::optional<wall_at> date() const { return date_ ? date_() : std::nullopt; }
  ticket_seal::binding certificates_digest() const;

  mbedtls_ssl_config config_;
  mbedtls_ssl_config resuming_;    // client: with a ticket in hand
  mbed::certificate_chain own_;
  mbed::certificate_chain ca_;
  mbed::private_key key_;
  tls_date_source date_;
  bool server_;
  std::optional<ticket_seal> seal_;
  std::map<std::string, tls_held_session> held_;
  tls_proof* proof_ = nullptr;     // of the handshake whose step runs
};

}  // namespace tomoshibi
