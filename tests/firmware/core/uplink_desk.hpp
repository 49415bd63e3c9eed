// The uplink on a desk: with its outbox in memory, a line that a test plays, and time as the test says.
#pragma once

#include "firmware/core/uplink.hpp"
#include "firmware/ports/memory_outbox_store.hpp"
#include "tests/firmware/core/slots_support.hpp"

#include <catch2/catch_test_macros.hpp>

#include <optional>
#include <string>
#include <vector>

namespace tomoshibi::firmware {

inline constexpr wall_at made = wall_from_ms(1'700'000'000'000);

// The uplink with its outbox; what it does is read as a list of words.
struct uplink_desk {
  memory_outbox disk{5};
  memory_outbox_store store{disk};
  outbox log{store, {}, null_log()};
  std::optional<uplink> up;
  gateway_output out;
  uplink_news news;
  mono_time now = mono_from_ms(10'000);
  link_number link = 0;

  explicit uplink_desk(std::uint64_t seed = 1, const keep_alive& line = {}, const std::string& name = "box-1") {
    gateway_setup setup;
    setup.id = *gateway_id::parse(name);
    setup.line = line;
    setup.seed = seed;
    REQUIRE(log.load(now));
    up.emplace(setup, log, null_log());
  }
  void add(int count) {
    for (int i = 0; i < count; ++i) log.append({wire::event{wire::event_kind::started, i}, made});
    REQUIRE(log.commit(now, made));
    up->pump(now, out);
  }
  std::vector<wire::message> sent() {
    std::vector<wire::message> messages;
    for (const auto& action : out.link) {
      if (const auto* send = std::get_if<link_send>(&action)) {
        const auto message = wire::decode_payload(byte_view{send->data}.subspan(2));
        REQUIRE(message);
        messages.push_back(*message);
      }
    }
    return messages;
  }
  std::string words() {
    static constexpr const char* names[] = {"hello", "welcome", "records", "ack", "config", "applied", "ping", "pong", "bye"};
    std::string text;
    for (const auto& action : out.link) {
      if (!text.empty()) text += ' ';
      if (const auto* open = std::get_if<link_open>(&action)) {
        link = open->link;
        text += "open";
      } else if (const auto* send = std::get_if<link_send>(&action)) {
        const auto message = wire::decode_payload(byte_view{send->data}.subspan(2));
        REQUIRE(message);
        text += names[message->index()];
        if (const auto* records = std::get_if<wire::records>(&*message)) {
          text += ":" + std::to_string(records->first_seq) + "+" + std::to_string(records->items.size());
        }
      } else {
        text += "close";
      }
    }
    out.clear();
    return text;
  }
  void hear(const wire::message& message) {
    const auto frame = wire::encode_frame(message);
    REQUIRE(frame);
    hear_bytes(*frame);
  }
  void hear_bytes(byte_view data) {
    up->on_link_bytes(now, link, data, out, news);
    up->pump(now, out);
  }
  std::string wake() {
    now = up->next_wake();
    up->on_wake(now, out);
    return words();
  }
  void connect() {
    up->on_ready(now);
    REQUIRE(wake() == "open");
    up->on_link_open(now, link, {}, out);
    REQUIRE(words() == "hello");
  }
  void go_live(record_seq acked = 0) {
    connect();
    hear(wire::welcome{1, acked, made, 0});
    REQUIRE(up->state() == uplink_state::live);
  }
};

}  // namespace tomoshibi::firmware
