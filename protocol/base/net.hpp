// Addresses as values, for cores that say where bytes go without knowing a socket.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace tomoshibi {

struct endpoint {
  std::string address;  // numeric, "192.0.2.7" or "fe80::1"; never a name
  std::uint16_t port = 0;
  friend auto operator<=>(const endpoint&, const endpoint&) = default;
};

}  // namespace tomoshibi
