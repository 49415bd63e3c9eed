// A TCP connection of the simulated world: in order, late, lost and repeated, cut, half open. One at a time: a new one replaces
// the old. The client dials; what each end hears is told by its owner's functions.
#pragma once

#include "protocol/base/bytes.hpp"
#include "protocol/base/prng.hpp"
#include "protocol/dc09/sender.hpp"
#include "tools/sim.d/press/press_clock.hpp"

#include <functional>
#include <string>

namespace tomoshibi::sim {

struct line_weather {
  millis delay_max{1};
  millis slow{};                 // added, up to
  std::uint32_t cut = 0;         // > 0: nothing gets through, both ends know
  std::uint32_t dead = 0;        // > 0: nothing gets through, nobody knows
  std::uint32_t loss = 0;        // per mille of what is sent comes later
};

class press_line {
public:
  struct ends {
    std::function<bool()> server_on;
    std::function<void(std::uint64_t)> server_opened;        // a number that is never used again
    std::function<void(std::uint64_t, byte_view)> server_bytes;
    std::function<void(std::uint64_t)> server_closed;
    std::function<void()> client_opened;
    std::function<void(byte_view)> client_bytes;
    std::function<void()> client_closed;                     // also: could not connect
  };
  press_line(press_clock& clock, prng random, ends e) : clock_(clock), random_(random), ends_(std::move(e)) {}

  line_weather weather;
  bool open() const { return open_; }
  std::uint64_t session() const { return session_; }

  void dial();
  void to_server(byte_view data) { send(data, true); }
  void to_client(byte_view data) { send(data, false); }
  void close_by_client() { close(false, true); }             // behind what was sent
  void close_by_server() { close(true, false); }
  // What a sender of DC-09 wants of its line; false: that is nothing for a line.
  bool carry_out(const dc09::sender_output::action& wanted, std::uint64_t& connection);
  void lose(bool tell_client, bool tell_server);             // at once
  void begin_cut() {
    ++weather.cut;
    lose(true, true);
  }

private:
  void send(byte_view data, bool server);
  void close(bool tell_client, bool tell_server);
  millis delay();

  press_clock& clock_;
  prng random_;
  ends ends_;
  bool open_ = false;
  std::uint64_t life_ = 0;       // what is on its way belongs to one
  std::uint64_t session_ = 0;
  mono_time server_free_{}, client_free_{};
};

}  // namespace tomoshibi::sim
