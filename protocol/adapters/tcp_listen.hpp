// What every TCP port that we open has in common; Asio shows here.
#pragma once

#include "protocol/base/net.hpp"
#include "protocol/base/result.hpp"
#include "protocol/base/time.hpp"

#include <boost/asio/ip/tcp.hpp>

namespace tomoshibi {

inline constexpr millis accept_pause{200};  // out of descriptors: the waiting ones stay in the backlog

// Errors: config_invalid (not a numeric address), net_unreachable (taken, not ours to take, not of this machine).
status listen_at(boost::asio::ip::tcp::acceptor& acceptor, const endpoint& at, int backlog);

endpoint to_endpoint(const boost::asio::ip::tcp::endpoint& at);
endpoint local_of(const boost::asio::ip::tcp::acceptor& acceptor);  // empty: it is closed

}  // namespace tomoshibi
