// What tls_stream.cpp and tls_listener.cpp share; Asio shows here.
#pragma once

#include "protocol/adapters/handshake_gate.hpp"
#include "protocol/adapters/tcp_listen.hpp"
#include "protocol/adapters/tls_stream.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <optional>
#include <vector>

namespace tomoshibi {

struct tls_stream::impl : std::enable_shared_from_this<tls_stream::impl> {
  using tcp = boost::asio::ip::tcp;
  using code = boost::system::error_code;
  enum class state { waiting, connecting, handshake, open, closing, closed };

  impl(event_loop& l, tls_context_ptr c, const tls_stream_options& o);

  void connect(const target& to);
  void begin(tls_stream_events& e);               // server side
  void dial(const std::vector<tcp::endpoint>& endpoints);
  void dial_again();
  void on_dialled(const code& failed);
  void start_engine(const std::string& server_name);
  void wait_readable();
  void on_readable();
  void read_available();
  bool take_bytes(byte_view cipher);              // false: the stream is over or destroyed
  void flush();
  bool write_some();                              // false: the stream is over
  void on_writable(const code& failed);
  void finish(error why);
  void detach();
  void note_remote();

  event_loop& loop;
  tls_context_ptr context;
  tls_stream_options options;
  tcp::socket socket;
  std::optional<tcp::resolver> resolver;
  std::optional<tls_engine> engine;
  tls_stream_events* events = nullptr;            // null: destroyed, or not started
  loop_timer deadline;
  state now = state::waiting;
  std::string server_name;
  std::vector<tcp::endpoint> dialled;             // client, until open
  bytes queue;                                    // cipher bytes; the first `sent` of them have left
  std::size_t sent = 0;
  bool writing = false;
  bool begun = false;                             // server: a first part of the handshake has been worked on
  std::shared_ptr<handshake_gate> gate;           // server, until open
  endpoint peer;
};


}  // namespace tomoshibi
