// The guard centre's shell: sockets (TCP, TLS or both), the clock, the list on the terminal, the journal, orders on standard
// input. One thread.
#pragma once

#include "tools/guard.d/core/centre.hpp"
#include "tools/guard.d/shell/journal.hpp"
#include "tools/guard.d/shell/plain_listener.hpp"

#include <cstdio>

namespace tomoshibi::guard {

struct server_settings {
  centre_settings centre;
  std::vector<order> orders;                            // misbehaviour from the start
  std::optional<endpoint> tcp;                          // port 0: the kernel chooses
  std::optional<endpoint> tls;
  std::optional<tls_identity> identity;                 // for tls; clients must show a certificate of its CA
  millis idle_max{0};                                   // a connection that says nothing for so long is closed; 0: never
  std::string journal_path;                             // empty: none
  std::FILE* terminal = stdout;                         // null: silent
};

class server final : public loop_part {
public:
  // Errors: net_unreachable, config_invalid, storage_io.
  static result<std::unique_ptr<server>> open(event_loop& loop, server_settings settings);
  ~server() override;

  // A line of an operator: "misbehave ORDER", "clear", "list", "quit", "help". Answers what to show.
  std::string on_command(std::string_view line);

  endpoint tcp_at() const { return tcp_ ? tcp_->local() : endpoint{}; }
  endpoint tls_at() const { return tls_ ? tls_->local() : endpoint{}; }
  const guard::centre& centre() const { return centre_; }

  mono_time next_wake() const override { return centre_.next_wake(); }
  void on_wake(mono_time now) override;

private:
  struct connection;
  server(event_loop& loop, server_settings settings);
  status start();
  std::uint64_t add();
  void on_plain(std::unique_ptr<plain_stream> stream);
  void on_tls(std::unique_ptr<tls_stream> stream);
  void on_bytes(std::uint64_t n, byte_view data);
  void on_closed(std::uint64_t n);
  void perform(centre_output& out);
  void send(std::uint64_t n, std::string_view data);
  void must(status done);                               // the journal is the promise behind each ACK
  void show(const std::string& text);
  std::string line_of(const entry& e) const;

  event_loop& loop_;
  server_settings settings_;
  guard::centre centre_;
  journal journal_;
  std::unique_ptr<plain_listener> tcp_;
  std::unique_ptr<tls_listener> tls_;
  std::map<std::uint64_t, std::unique_ptr<connection>> connections_;
  std::uint64_t last_connection_ = 0;
};

}  // namespace tomoshibi::guard
