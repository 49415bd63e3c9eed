// A sender of DC-09 with two guard centres, and what it does in words.
#pragma once

#include "protocol/dc09/sender.hpp"
#include "tests/protocol/dc09/samples.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace tomoshibi::dc09::testing {

inline const wall_at noon = at("12:00:00,01-02-2027");

struct sender_bench {
  explicit sender_bench(sender_settings s = two()) : from(std::move(s)) {}
  static sender_settings two() {
    sender_settings s;
    s.receivers = {{.receiver = "1", .line = "1"}, {.format = token::sia_dcs, .receiver = "2", .line = "2"}};
    s.random = [](std::span<std::uint8_t> out) { std::ranges::fill(out, std::uint8_t{9}); };
    s.null_account = "1234";
    return s;
  }
  static sender_settings one() {
    sender_settings s = two();
    s.receivers.resize(1);
    return s;
  }

  static std::string words_of_rest(const sender_output::action& a) {
    if (std::holds_alternative<sender_output::close>(a)) return "close";
    if (const auto* d = std::get_if<sender_output::delivered>(&a))
      return "delivered " + std::to_string(d->id) + " by " + std::to_string(d->receiver);
    if (const auto* f = std::get_if<sender_output::failed>(&a))
      return "failed " + std::to_string(f->id) + ' ' + std::string(name_of(f->why));
    if (const auto* l = std::get_if<sender_output::link>(&a))
      return l->now == link_state::up ? "up " + std::to_string(l->receiver) : "down";
    if (const auto* d = std::get_if<sender_output::doubted>(&a))
      return std::string(name_of(d->what.is)) + '/' + std::string(name_of(d->what.why));
    return "";
  }

  // What has happened since the last call, in words.
  std::string took() {
    std::string said;
    for (auto& a : out.actions) {
      if (const auto* c = std::get_if<sender_output::connect_to>(&a)) {
        said += "connect " + std::to_string(c->receiver);
        connection = c->connection;
      }
      if (const auto* w = std::get_if<sender_output::write>(&a)) {
        last = read_frame(w->data, &key_of(16)).value();
        said += std::string(name_of(last.id)) + ' ' + std::to_string(last.sequence);
      }
      said += words_of_rest(a);
      said += ", ";
    }
    out.actions.clear();
    return said;
  }
  std::string submit(outgoing e = {}) {
    if (e.id == 0) e.id = 1;
    if (e.account.empty()) e.account = "1234";
    REQUIRE(from.submit(now, noon, std::move(e), out));
    return took();
  }
  std::string connected() {
    from.on_connected(now, noon, connection, out);
    return took();
  }
  std::string say(std::string_view data) {
    from.on_bytes(now, noon, connection, as_bytes(data), out);
    return took();
  }
  std::string closed() {
    from.on_closed(now, noon, connection, out);
    return took();
  }
  frame answer(token id) const {
    return {.id = id, .sequence = last.sequence, .receiver = last.receiver, .line = last.line, .account = last.account};
  }
  static std::string text(const frame& f) { return write_frame(f, {&key_of(16), bytes(31, 3)}).value(); }
  std::string ack() { return say(text(answer(token::ack))); }
  std::string nak(std::optional<wall_at> stamp) {
    return say(text({.id = token::nak, .receiver = "0", .line = "0", .stamp = stamp}));
  }
  std::string wait(millis t) {
    now += t;
    from.on_wake(now, noon, out);
    return took();
  }
  void in_flight() {
    CHECK(submit() == "connect 0, ");
    CHECK(connected() == "ADM-CID 1, ");
  }

  sender from;
  sender_output out;
  mono_time now = mono_from_ms(1000);
  std::uint64_t connection = 0;
  frame last;
};

}  // namespace tomoshibi::dc09::testing
