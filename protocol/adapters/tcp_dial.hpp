// What every TCP connection that we make has in common; Asio shows here.
#pragma once

#include "protocol/adapters/event_loop.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tomoshibi {

using addresses_handler =
    std::move_only_function<void(const boost::system::error_code& failed, std::vector<boost::asio::ip::tcp::endpoint> found)>;

// The addresses behind `host`, in the order to try them. A numeric one is known at once, and the handler is called from inside;
// a name is asked for on a thread of Asio's, for which a replay waits as for any work. `resolver` is the caller's, to cancel.
void find_addresses(event_loop& loop, std::optional<boost::asio::ip::tcp::resolver>& resolver, const std::string& host,
                    std::uint16_t port, addresses_handler on_found);

// Non-blocking, TCP_NODELAY, keep-alive. A dead path is known by the protocol's own pings; keep-alive is there for what the
// kernel can see sooner.
void prepare_connection(boost::asio::ip::tcp::socket& socket);

}  // namespace tomoshibi
