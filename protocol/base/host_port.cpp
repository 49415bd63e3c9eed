#include "protocol/base/host_port.hpp"

#include <charconv>

namespace tomoshibi {

std::optional<host_port> parse_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!bracketed && host.find(':') != std::string_view::npos) return std::nullopt;
  std::uint16_t port = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (code != std::errc{} || end != digits.data() + digits.size() || port == 0) return std::nullopt;
  const bool odd = host.find_first_of(" \t/@[]") != std::string_view::npos;
  if (host.empty() || host.size() > host_bytes_max || odd) return std::nullopt;
  return host_port{std::string(host), port};
}

}  // namespace tomoshibi
