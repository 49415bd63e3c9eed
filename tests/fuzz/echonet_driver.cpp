// The whole driver fed by hostile hosts: it keeps its bounds, never sends to itself, and always knows when to wake.
//
// The input is a script: <op> <arguments>. 0..127: a datagram of so many bytes from host (next byte). 128..191: time passes,
// 2^(op & 15) ms. 192..255: the answer to the last request of ours, patched: an ESV byte, then up to (op & 31) bytes of OPC and
// properties. So the fuzzer need not guess TIDs to get past the first door.
#include "drivers/echonet/echonet_driver.hpp"
#include "drivers/echonet/limits.hpp"
#include "protocol/base/check.hpp"

#include <algorithm>

using namespace tomoshibi;
using namespace tomoshibi::drivers;
using namespace tomoshibi::drivers::echonet;

namespace {

class trial {
public:
  trial() : driver_({.seed = 1, .identity = {1}}) {
    read_plan plan;
    for (const std::uint32_t code : {0x060200u, 0x000300u, 0x002200u, 0x05fd00u}) {
      plan.watches.push_back({.node = {}, .eoj = code, .wants_power = true, .wants_sensor_state = true});
    }
    driver_.on_plan(now_, plan, out_);
    driver_.on_start(now_, out_);
    drain();
  }

  void run(byte_view script) {
    byte_reader in{script};
    while (in.left() > 0) {
      const std::uint8_t op = in.u8();
      if (op < 128) {
        const std::uint8_t host = in.u8();
        hear(host, in.take(std::min<std::size_t>(op, in.left())));
      } else if (op < 192) {
        pass(millis{1 << (op & 15)});
      } else {
        answer(in.u8(), in.take(std::min<std::size_t>(op & 31, in.left())));
      }
    }
    pass(millis{60'000});
  }

private:
  void hear(std::uint8_t host, byte_view payload) {
    driver_.on_datagram(now_, {"192.0.2." + std::to_string(host), 3610}, payload, out_);
    drain();
  }

  void answer(std::uint8_t service, byte_view properties) {
    if (last_request_.size() < 12) return;
    bytes raw = last_request_;
    std::swap_ranges(raw.begin() + 4, raw.begin() + 7, raw.begin() + 7);
    raw[10] = service;
    raw.resize(11);
    put_bytes(raw, properties);
    driver_.on_datagram(now_, {last_host_, 3610}, raw, out_);
    drain();
  }

  void pass(millis time) {
    const mono_time end = now_ + time;
    int turns = 0;
    while (driver_.next_wake() <= end) {
      const mono_time wake = driver_.next_wake();
      turns = wake > now_ ? 0 : turns + 1;
      TOMO_REQUIRE(turns < 1'000);  // or time would stand still
      now_ = std::max(now_, wake);
      driver_.on_wake(now_, out_);
      drain();
    }
    now_ = end;
  }

  void drain() {
    TOMO_REQUIRE(out_.datagrams.size() <= 2 * nodes_max + 8);
    for (const datagram& d : out_.datagrams) {
      TOMO_REQUIRE(d.payload.size() <= datagram_max);
      TOMO_REQUIRE(!d.to || d.to->port == udp_port);
      const auto frame = decode_frame(d.payload);
      TOMO_REQUIRE(frame.has_value() && frame->complete);
      if (d.to && frame->service == esv::get) {
        last_request_ = d.payload;
        last_host_ = d.to->address;
      }
    }
    for (const observation& o : out_.observations) {
      const auto* const r = std::get_if<reading>(&o);
      if (r != nullptr) TOMO_REQUIRE(r->operating || r->active || r->power_w || r->energy_wh);
    }
    out_.datagrams.clear();
    out_.observations.clear();
    TOMO_REQUIRE(driver_.report().size() <= nodes_max);
  }

  echonet_driver driver_;
  driver_output out_;
  mono_time now_ = mono_from_ms(0);
  bytes last_request_;
  std::string last_host_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  trial{}.run({data, std::min<std::size_t>(size, 4'096)});
  return 0;
}
