#include "tools/sim.d/press/press_line.hpp"

#include <algorithm>

namespace tomoshibi::sim {
namespace {

constexpr millis repeated_after = 200ms;   // TCP's shortest; doubles
constexpr millis unreachable_after = 3s;

}  // namespace

millis press_line::delay() {
  millis out{random_.between(1, weather.delay_max.count())};
  if (weather.slow > 0ms) out += millis{random_.between(0, weather.slow.count())};
  for (millis again = repeated_after; random_.chance(weather.loss); again *= 2) out += again;
  return out;
}

void press_line::dial() {
  lose(false, true);
  const std::uint64_t life = life_;
  const bool hopeless = weather.cut > 0 || weather.dead > 0;
  clock_.at(clock_.now() + (hopeless ? unreachable_after : delay()), [this, life] {
    if (life != life_) return;
    if (weather.cut > 0 || weather.dead > 0 || !ends_.server_on()) return ends_.client_closed();
    open_ = true;
    session_ = clock_.next_session();
    server_free_ = client_free_ = clock_.now();
    ends_.server_opened(session_);
    if (life == life_) ends_.client_opened();
  });
}

void press_line::send(byte_view data, bool server) {
  if (!open_ || data.empty()) return;
  mono_time& free = server ? server_free_ : client_free_;
  free = std::max(free, clock_.now() + delay());
  clock_.at(free, [this, server, life = life_, session = session_, copy = bytes(data.begin(), data.end())] {
    if (life != life_ || !open_ || weather.dead > 0) return;
    if (server) ends_.server_bytes(session, copy);
    else ends_.client_bytes(copy);
  });
}

void press_line::close(bool tell_client, bool tell_server) {
  if (!open_) {
    ++life_;
    return;
  }
  const mono_time last = std::max(clock_.now(), tell_client ? client_free_ : server_free_);
  clock_.at(last, [this, tell_client, tell_server, life = life_] {
    if (life == life_) lose(tell_client, tell_server);
  });
}

void press_line::lose(bool tell_client, bool tell_server) {
  ++life_;
  if (!open_) return;
  open_ = false;
  const std::uint64_t life = life_;
  const std::uint64_t session = session_;
  if (tell_server) clock_.at(clock_.now(), [this, session] { ends_.server_closed(session); });
  if (tell_client)
    clock_.at(clock_.now(), [this, life] {
      if (life == life_) ends_.client_closed();
    });
}

bool press_line::carry_out(const dc09::sender_output::action& wanted, std::uint64_t& connection) {
  if (const auto* c = std::get_if<dc09::sender_output::connect_to>(&wanted)) {
    connection = c->connection;
    dial();
  } else if (const auto* w = std::get_if<dc09::sender_output::write>(&wanted)) {
    to_server(as_bytes(w->data));
  } else if (std::holds_alternative<dc09::sender_output::close>(wanted)) {
    close_by_client();
  } else {
    return false;
  }
  return true;
}

}  // namespace tomoshibi::sim
