// Accepts TCP connections without TLS, in the shape of tls_listener, so that the guard centre sees no difference.
#pragma once

#include "protocol/adapters/plain_stream.hpp"

namespace tomoshibi::guard {

class plain_listener {
public:
  using accept_handler = std::move_only_function<void(std::unique_ptr<plain_stream>)>;
  static result<std::unique_ptr<plain_listener>> open(event_loop& loop, const endpoint& at, accept_handler on_accept);
  ~plain_listener();
  endpoint local() const;
  struct impl;

private:
  explicit plain_listener(std::shared_ptr<impl> p);
  std::shared_ptr<impl> impl_;
};

}  // namespace tomoshibi::guard
