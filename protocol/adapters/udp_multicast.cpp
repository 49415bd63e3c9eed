#include "protocol/adapters/udp_multicast.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace tomoshibi {
namespace {

std::string why() { return std::strerror(errno); }

std::optional<in_addr> parse_ipv4(const std::string& text) {
  in_addr address{};
  if (inet_pton(AF_INET, text.c_str(), &address) != 1) return std::nullopt;
  return address;
}

std::string text_of(const in_addr& address) {
  char text[INET_ADDRSTRLEN] = {};
  inet_ntop(AF_INET, &address, text, sizeof text);
  return text;
}

sockaddr_in socket_address(const in_addr& address, std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr = address;
  out.sin_port = htons(port);
  return out;
}

bool set(int fd, int level, int name, int value) { return ::setsockopt(fd, level, name, &value, sizeof value) == 0; }

bool bind_to(int fd, const in_addr& address, std::uint16_t port) {
  const sockaddr_in at = socket_address(address, port);
  return ::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
}

int open_socket() { return ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

// First IPv4 address of an interface, empty if it has none: what the others see our multicasts come from.
std::string address_of(const std::string& interface) {
  ifaddrs* all = nullptr;
  if (interface.empty() || getifaddrs(&all) != 0) return {};
  std::string found;
  for (const ifaddrs* i = all; i != nullptr && found.empty(); i = i->ifa_next) {
    if (i->ifa_addr == nullptr || i->ifa_addr->sa_family != AF_INET || interface != i->ifa_name) continue;
    sockaddr_in address{};
    std::memcpy(&address, i->ifa_addr, sizeof address);
    found = text_of(address.sin_addr);
  }
  freeifaddrs(all);
  return found;
}

}  // namespace

result<udp_multicast> udp_multicast::open(const udp_multicast_options& options) {
  const auto own = parse_ipv4(options.bind_address);
  const auto group = parse_ipv4(options.group);
  if (!own) return fail(errc::config_invalid, "not an IPv4 address: '" + options.bind_address + "'");
  if (!group || !IN_MULTICAST(ntohl(group->s_addr)))
    return fail(errc::config_invalid, "not an IPv4 multicast group: '" + options.group + "'");
  if (options.interface.size() >= IFNAMSIZ)
    return fail(errc::config_invalid, "not an interface name: '" + options.interface + "'");

  udp_multicast made;
  made.options_ = options;
  made.unicast_ = open_socket();
  made.group_ = open_socket();
  if (made.unicast_ < 0 || made.group_ < 0) return fail(errc::net_unreachable, "UDP socket: " + why());
  // Bound without SO_REUSEADDR, so that a second program on this address and port is told so and steals nothing. Set
  // afterwards, so that our own group socket may share the port where the address is 0.0.0.0.
  if (!bind_to(made.unicast_, *own, options.port))
    return fail(errc::net_unreachable, "UDP " + options.bind_address + ":" + std::to_string(options.port) + ": " + why() +
                                           (errno == EADDRINUSE ? " (another ECHONET program on this machine?)" : ""));
  const std::uint16_t port = made.local().port;
  set(made.unicast_, SOL_SOCKET, SO_REUSEADDR, 1);
  set(made.unicast_, IPPROTO_IP, IP_MULTICAST_ALL, 0);  // ip(7): groups that other sockets joined are not ours
  set(made.unicast_, IPPROTO_IP, IP_MULTICAST_TTL, 1);  // ECHONET Lite stays on its link
  set(made.group_, SOL_SOCKET, SO_REUSEADDR, 1);
  set(made.group_, IPPROTO_IP, IP_MULTICAST_ALL, 0);
  if (!bind_to(made.group_, *group, port))
    return fail(errc::net_unreachable, "UDP " + options.group + ":" + std::to_string(port) + ": " + why());
  (void)made.join();  // an interface that is not there yet is joined by refresh()
  return made;
}

udp_multicast::udp_multicast(udp_multicast&& other) noexcept
    : options_(std::move(other.options_)), unicast_(std::exchange(other.unicast_, -1)),
      group_(std::exchange(other.group_, -1)), joined_index_(std::exchange(other.joined_index_, 0)),
      own_address_(std::move(other.own_address_)) {}

udp_multicast::~udp_multicast() {
  if (unicast_ >= 0) ::close(unicast_);
  if (group_ >= 0) ::close(group_);
}

status udp_multicast::join() {
  ip_mreqn request{};
  request.imr_multiaddr = *parse_ipv4(options_.group);
  joined_index_ = 0;
  own_address_ = options_.bind_address != "0.0.0.0" ? options_.bind_address : address_of(options_.interface);
  if (!options_.interface.empty()) {
    request.imr_ifindex = static_cast<int>(if_nametoindex(options_.interface.c_str()));
    if (request.imr_ifindex == 0) return fail(errc::net_unreachable, options_.interface + ": no such interface");
  }
  (void)::setsockopt(group_, IPPROTO_IP, IP_DROP_MEMBERSHIP, &request, sizeof request);
  if (::setsockopt(group_, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request) != 0)
    return fail(errc::net_unreachable, "join " + options_.group + ": " + why());
  if (!options_.interface.empty() &&
      ::setsockopt(unicast_, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request) != 0)
    return fail(errc::net_unreachable, "multicast interface " + options_.interface + ": " + why());
  joined_index_ = options_.interface.empty() ? -1 : request.imr_ifindex;
  return {};
}

bool udp_multicast::refresh() {
  const int before = joined_index_;
  if (!options_.interface.empty() && before != 0) {
    const int index = static_cast<int>(if_nametoindex(options_.interface.c_str()));
    const bool same_address = options_.bind_address != "0.0.0.0" || address_of(options_.interface) == own_address_;
    if (index == before && same_address) return false;
  } else if (before != 0) {
    return false;
  }
  (void)join();
  return joined_index_ != before || joined_index_ != 0;
}

std::optional<udp_multicast::received> udp_multicast::receive(int descriptor) {
  while (true) {
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const ssize_t n = ::recvfrom(descriptor, buffer_.data(), buffer_.size(), MSG_TRUNC,
                                 reinterpret_cast<sockaddr*>(&from), &size);
    if (n < 0 && errno == EAGAIN) return std::nullopt;
    if (n < 0) {
      // ECONNREFUSED and the like belong to an earlier send; the socket goes on. EBADF would never end.
      if (errno == EBADF || errno == ENOTSOCK || errno == EINVAL) return std::nullopt;
      continue;
    }
    if (static_cast<std::size_t>(n) > datagram_max) continue;
    endpoint source{text_of(from.sin_addr), ntohs(from.sin_port)};
    if (source.address == own_address_ && source.port == local().port) continue;
    return received{std::move(source), {buffer_.data(), static_cast<std::size_t>(n)}, descriptor == group_};
  }
}

status udp_multicast::send_to(const endpoint& to, byte_view payload) {
  const auto address = parse_ipv4(to.address);
  if (!address) return fail(errc::net_unreachable, "not an IPv4 address: '" + to.address + "'");
  const sockaddr_in target = socket_address(*address, to.port);
  const ssize_t n = ::sendto(unicast_, payload.data(), payload.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&target), sizeof target);
  if (n < 0) return fail(errc::net_unreachable, "UDP send: " + why());
  return {};
}

status udp_multicast::send_to_group(byte_view payload) {
  return send_to({options_.group, local().port}, payload);
}

endpoint udp_multicast::local() const {
  sockaddr_in at{};
  socklen_t size = sizeof at;
  if (::getsockname(unicast_, reinterpret_cast<sockaddr*>(&at), &size) != 0) return {};
  return {text_of(at.sin_addr), ntohs(at.sin_port)};
}

}  // namespace tomoshibi
