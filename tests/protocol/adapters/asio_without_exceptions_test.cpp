// Goal: the parts of Asio that the gateway uses work without exceptions and RTTI.
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <csignal>
#include <string>

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

#ifdef __cpp_exceptions
#error "this test is about code without exceptions"
#endif
#ifdef __cpp_rtti
#error "this test is about code without RTTI"
#endif

TEST_CASE("a timer fires and a cancelled one says so") {
  asio::io_context loop(1);
  asio::steady_timer soon(loop, std::chrono::milliseconds(1));
  asio::steady_timer never(loop, std::chrono::hours(1));
  error_code soon_result = asio::error::would_block;
  error_code never_result;
  soon.async_wait([&soon_result, &never](error_code result) {
    soon_result = result;
    never.cancel();
  });
  never.async_wait([&never_result](error_code result) { never_result = result; });
  loop.run();
  CHECK_FALSE(soon_result);
  CHECK(never_result == asio::error::operation_aborted);
}

TEST_CASE("a datagram arrives") {
  asio::io_context loop(1);
  const asio::ip::udp::endpoint any_port(asio::ip::address_v4::loopback(), 0);
  asio::ip::udp::socket receiver(loop);
  error_code failed;
  receiver.open(any_port.protocol(), failed);
  REQUIRE_FALSE(failed);
  receiver.bind(any_port, failed);
  REQUIRE_FALSE(failed);
  asio::ip::udp::socket sender(loop);
  sender.open(any_port.protocol(), failed);
  std::array<char, 16> buffer{};
  std::string received;
  asio::ip::udp::endpoint from;
  receiver.async_receive_from(asio::buffer(buffer), from, [&](error_code result, std::size_t size) {
    if (!result) received.assign(buffer.data(), size);
  });
  sender.send_to(asio::buffer("ping", 4), receiver.local_endpoint(failed), 0, failed);
  loop.run();
  CHECK(received == "ping");
}

TEST_CASE("a connection is accepted and carries bytes") {
  asio::io_context loop(1);
  error_code failed;
  asio::ip::tcp::acceptor acceptor(loop);
  acceptor.open(asio::ip::tcp::v4(), failed);
  acceptor.bind({asio::ip::address_v4::loopback(), 0}, failed);
  acceptor.listen(1, failed);
  REQUIRE_FALSE(failed);
  asio::ip::tcp::socket server(loop);
  asio::ip::tcp::socket client(loop);
  std::array<char, 16> buffer{};
  std::string received;
  acceptor.async_accept(server, [&](error_code accepted) {
    REQUIRE_FALSE(accepted);
    server.async_read_some(asio::buffer(buffer), [&](error_code, std::size_t size) { received.assign(buffer.data(), size); });
  });
  client.async_connect(acceptor.local_endpoint(failed), [&](error_code connected) {
    REQUIRE_FALSE(connected);
    asio::async_write(client, asio::buffer("hello", 5), [](error_code, std::size_t) {});
  });
  loop.run();
  CHECK(received == "hello");
}

TEST_CASE("a refused connection is an error code") {
  asio::io_context loop(1);
  error_code failed;
  asio::ip::tcp::acceptor taken(loop);
  taken.open(asio::ip::tcp::v4(), failed);
  taken.bind({asio::ip::address_v4::loopback(), 0}, failed);  // Bound, not listening: nobody answers and nobody else can.
  asio::ip::tcp::socket client(loop);
  error_code result;
  client.async_connect(taken.local_endpoint(failed), [&result](error_code connected) { result = connected; });
  loop.run();
  CHECK(result == asio::error::connection_refused);
}

TEST_CASE("local stream sockets and signals") {
  asio::io_context loop(1);
  error_code failed;
  asio::local::stream_protocol::socket left(loop);
  asio::local::stream_protocol::socket right(loop);
  asio::local::connect_pair(left, right, failed);
  REQUIRE_FALSE(failed);
  std::array<char, 4> buffer{};
  std::size_t received = 0;
  right.async_read_some(asio::buffer(buffer), [&received](error_code, std::size_t size) { received = size; });
  asio::async_write(left, asio::buffer("abcd", 4), [](error_code, std::size_t) {});

  asio::signal_set signals(loop);
  signals.add(SIGUSR1, failed);
  REQUIRE_FALSE(failed);
  int seen = 0;
  signals.async_wait([&seen](error_code, int number) { seen = number; });
  std::raise(SIGUSR1);
  loop.run();
  CHECK(received == 4);
  CHECK(seen == SIGUSR1);
}

}  // namespace
