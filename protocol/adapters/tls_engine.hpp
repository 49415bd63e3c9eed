// TLS 1.3 with certificates on both sides, as bytes in and bytes out: no socket, no clock. Over Mbed TLS 3.6; which files
// may include that is written in docs/adr/0009 and 0010.
//
// The trust anchor is the provider's own CA and nothing else. States of an engine: handshake -> open -> closed (peer's
// close_notify, or our close()) | failed (for good). One thread owns a context and its engines.
// Errors: tls_failed with Mbed TLS's text; config_invalid for certificates and keys that cannot be used.
#pragma once

#include "protocol/adapters/ticket_keys.hpp"
#include "protocol/base/bytes.hpp"
#include "protocol/base/result.hpp"
#include "protocol/base/time.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace tomoshibi {

// A client may have neither certificate nor key: it then shows nothing, and a server that asks for one ends the handshake.
struct tls_identity {
  std::string certificate_pem;  // own certificate, chain after it if there is one
  std::string key_pem;
  std::string ca_pem;           // whom we believe
  bool operator==(const tls_identity&) const = default;
};
struct tls_identity_files {
  std::string certificate;
  std::string key;
  std::string ca;
  std::string table = {};       // of the configuration whose keys certificate, key and ca name them: told with what is wrong
};
// Reads them and looks whether they can be used, and whether certificate and key are a pair; an empty path of certificate or key:
// none. config_invalid: which key and file, and what is wanted of it.
result<tls_identity> load_tls_identity(const tls_identity_files& files);
// Only reads them, whatever they are: for a tool that mends them.
result<tls_identity> read_tls_identity(const tls_identity_files& files);

struct tls_peer {
  std::string common_name;      // subject CN
  std::string sha256;           // of the DER, lower-case hex
  wall_at not_before{};
  wall_at not_after{};
  bool resumed = false;         // known by a ticket; the certificate was shown on an earlier connection
};

// The time that certificates are judged by; nothing: it is not known, and dates are not judged (docs/adr/0004).
using tls_date_source = std::function<std::optional<wall_at>()>;

enum class tls_resumption : bool { off, on };

// What all connections of one side share; engines keep it alive. Resumption (docs/adr/0010) needs no care of its users: a
// server that was given keys hands out tickets, a client keeps the last one for each server name in its context and offers
// it on the next connection. A ticket that the server does not take ends that connection and is forgotten: refused_ticket()
// says so, and the next connection, which may be begun at once, is a full handshake. tls_stream does that by itself.
class tls_context;
using tls_context_ptr = std::shared_ptr<tls_context>;
// `tickets`: seal and open them from now on; their owner may turn() them between two calls. Null: every handshake is full.
result<tls_context_ptr> make_tls_server(const tls_identity& identity, tls_date_source date,
                                        std::shared_ptr<const ticket_keys> tickets = {});
result<tls_context_ptr> make_tls_client(const tls_identity& identity, tls_date_source date,
                                        tls_resumption resumption = tls_resumption::on);

class tls_engine {
public:
  // `server_name`: the DNS name or IP address that the server's certificate must carry (client side only).
  // `resumption` off: shows the certificate even if a ticket is held.
  static result<tls_engine> start(tls_context_ptr context, const std::string& server_name = {},
                                  tls_resumption resumption = tls_resumption::on);
  tls_engine(tls_engine&&) noexcept;
  tls_engine& operator=(tls_engine&&) noexcept;
  ~tls_engine();

  // Bytes from the peer, in pieces of any size. Goes as far as they lead; take_output() and take_plain() after it.
  status feed(byte_view cipher);
  // Plain bytes to the peer; only when open.
  status write(byte_view plain);
  void close();                       // queues close_notify

  bytes take_output();                // what must go to the peer now; also after a failure (the alert)
  bytes take_plain();                 // what the peer said
  bool open() const;                  // handshake done, peer verified
  bool closed() const;                // the peer said close_notify: no more bytes come
  bool refused_ticket() const;        // failed, and a new try without the ticket may succeed (client)
  const tls_peer& peer() const;       // valid once open

private:
  struct impl;
  explicit tls_engine(std::unique_ptr<impl> p);
  std::unique_ptr<impl> impl_;
};

}  // namespace tomoshibi
