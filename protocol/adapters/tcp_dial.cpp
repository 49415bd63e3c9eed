#include "protocol/adapters/tcp_dial.hpp"

#include <memory>
#include <netinet/tcp.h>

namespace tomoshibi {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using code = boost::system::error_code;

void find_addresses(event_loop& loop, std::optional<tcp::resolver>& resolver, const std::string& host, std::uint16_t port,
                    addresses_handler on_found) {
  code failed;
  const auto address = asio::ip::make_address(host, failed);
  if (!failed) return on_found(failed, {tcp::endpoint{address, port}});
  loop.begin_work();
  resolver.emplace(loop.context());
  resolver->async_resolve(host, std::to_string(port),
                          [&loop, tell = std::move(on_found)](const code& no, const tcp::resolver::results_type& found) mutable {
                            loop.finish_work([] {});
                            std::vector<tcp::endpoint> endpoints;
                            for (const auto& entry : found) endpoints.push_back(entry.endpoint());
                            tell(no, std::move(endpoints));
                          });
}

void prepare_connection(tcp::socket& socket) {
  code ignored;
  socket.non_blocking(true, ignored);
  socket.set_option(tcp::no_delay{true}, ignored);
  socket.set_option(asio::socket_base::keep_alive{true}, ignored);
  const int fd = socket.native_handle();
  const auto set = [fd](int name, int value) { ::setsockopt(fd, IPPROTO_TCP, name, &value, sizeof value); };
  set(TCP_KEEPIDLE, 60);
  set(TCP_KEEPINTVL, 10);
  set(TCP_KEEPCNT, 3);
}

}  // namespace tomoshibi
