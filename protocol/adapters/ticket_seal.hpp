// What a session ticket of ours says, and the envelope around it (docs/adr/0010).
//
// Mbed TLS's own ticket does not say whose session it is. Ours wraps what Mbed TLS wants to find again together with the
// peer that the relay had verified. AES-256-GCM under a key of the ring, bound to the certificates in use: a ticket opens
// only at the relay that wrote it, under the same certificate and CA. On the wire:
//   version 1 | key id (8 bytes) | nonce (12, random) | sealed content | tag (16); all before the content is authenticated.
#pragma once

#include "protocol/adapters/ticket_keys.hpp"
#include "protocol/adapters/tls_engine.hpp"

#include <array>
#include <memory>
#include <optional>
#include <vector>

namespace tomoshibi {

inline constexpr millis ticket_life = 2 * ticket_key_turn;
// A session may be resumed from a resumed session, but not for ever: then the certificate is shown again.
inline constexpr millis proof_life = 7 * 24h;

struct ticket_content {
  tls_peer peer;
  wall_at proved{};    // when the peer showed its certificate
  wall_at issued{};
  bytes session;       // Mbed TLS's serialised session
};

// Whether a ticket that opened may be used: neither it nor the certificate behind it too old, nothing from the future.
bool usable(const ticket_content& ticket, wall_at now);

class ticket_seal {
public:
  using binding = std::array<std::uint8_t, 32>;   // digest of the certificates that a ticket is bound to

  ticket_seal(std::shared_ptr<const ticket_keys> keys, const binding& bound_to);

  result<bytes> seal(const ticket_content& content);       // tls_failed: no key, or no randomness
  std::optional<ticket_content> open(byte_view ticket);    // nothing: not ours, changed, or the key is gone

private:
  struct sealing_key {
    std::array<std::uint8_t, 8> id{};
    std::array<std::uint8_t, 32> key{};
  };
  const std::vector<sealing_key>& derived();

  std::shared_ptr<const ticket_keys> keys_;
  binding bound_to_;
  std::vector<sealing_key> derived_;
  std::vector<ticket_key> derived_from_;
};

}  // namespace tomoshibi
