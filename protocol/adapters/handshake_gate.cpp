#include "protocol/adapters/handshake_gate.hpp"

#include <utility>

namespace tomoshibi {

void handshake_gate::queue(bool begun, loop_handler step) {
  (begun ? begun_ : fresh_).push_back(std::move(step));
  arm();
}

// A posted handler goes behind everything that is ready now, and what becomes ready meanwhile goes before the next one.
void handshake_gate::arm() {
  if (armed_ || waiting() == 0) return;
  armed_ = true;
  loop_.post([self = shared_from_this()] { self->run(); });
}

void handshake_gate::run() {
  armed_ = false;
  auto& from = begun_.empty() ? fresh_ : begun_;
  if (from.empty()) return;
  loop_handler step = std::move(from.front());
  from.pop_front();
  arm();
  step();
}

}  // namespace tomoshibi
