// "host:port" as it stands in configuration files: a name, an IPv4 address, or an IPv6 address in brackets; the port is needed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tomoshibi {

inline constexpr std::size_t host_bytes_max = 253;  // of a name (RFC 1035, 2.3.4, less what only the wire needs)

struct host_port {
  std::string host;                // name, IPv4 or IPv6 address; 1..host_bytes_max bytes, no brackets
  std::uint16_t port = 0;          // 1..65535
  bool operator==(const host_port&) const = default;
};

// "relay.example.net:8443", "127.0.0.1:8443", "[2001:db8::7]:8443"; nothing if it is none.
std::optional<host_port> parse_host_port(std::string_view text);

}  // namespace tomoshibi
