#include "protocol/base/result.hpp"

namespace tomoshibi {

std::string_view name_of(errc code) {
  switch (code) {
    case errc::truncated: return "truncated";
    case errc::malformed: return "malformed";
    case errc::too_long: return "too_long";
    case errc::unsupported: return "unsupported";
    case errc::config_invalid: return "config_invalid";
    case errc::not_found: return "not_found";
    case errc::already_exists: return "already_exists";
    case errc::refused: return "refused";
    case errc::storage_io: return "storage_io";
    case errc::storage_full: return "storage_full";
    case errc::storage_corrupt: return "storage_corrupt";
    case errc::storage_busy: return "storage_busy";
    case errc::storage_version: return "storage_version";
    case errc::net_unreachable: return "net_unreachable";
    case errc::net_closed: return "net_closed";
    case errc::net_timeout: return "net_timeout";
    case errc::tls_failed: return "tls_failed";
    case errc::peer_identity: return "peer_identity";
    case errc::mail_temporary: return "mail_temporary";
    case errc::mail_permanent: return "mail_permanent";
  }
  return "unlisted";
}

}  // namespace tomoshibi
