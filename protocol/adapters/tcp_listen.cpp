#include "protocol/adapters/tcp_listen.hpp"

namespace tomoshibi {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

status listen_at(tcp::acceptor& acceptor, const endpoint& at, int backlog) {
  boost::system::error_code failed;
  const auto address = asio::ip::make_address(at.address, failed);
  if (failed) return fail(errc::config_invalid, "not an IP address: '" + at.address + "'");
  const tcp::endpoint where{address, at.port};
  acceptor.open(where.protocol(), failed);
  if (!failed) acceptor.set_option(asio::socket_base::reuse_address{true}, failed);
  if (!failed) acceptor.bind(where, failed);
  if (!failed) acceptor.listen(backlog, failed);
  if (!failed) return {};
  const std::string host = address.is_v6() ? "[" + at.address + "]" : at.address;
  return fail(errc::net_unreachable, "TCP " + host + ":" + std::to_string(at.port) + ": " + failed.message());
}

endpoint to_endpoint(const tcp::endpoint& at) { return {at.address().to_string(), at.port()}; }

endpoint local_of(const tcp::acceptor& acceptor) {
  boost::system::error_code failed;
  const auto at = acceptor.local_endpoint(failed);
  return failed ? endpoint{} : to_endpoint(at);
}

}  // namespace tomoshibi
