// A gateway with a scripted driver and a scripted relay, all in virtual time, for tests of the whole core.
#pragma once

#include "drivers/driver.hpp"
#include "firmware/core/gateway.hpp"
#include "firmware/ports/memory_outbox_store.hpp"
#include "protocol/wire/frame_reader.hpp"
#include "protocol/wire/messages.hpp"
#include "tests/firmware/core/slots_support.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>

namespace tomoshibi::firmware {

// Says what the test puts into `next`, at each datagram.
class scripted_driver final : public drivers::driver {
public:
  void on_start(mono_time, drivers::driver_output&) override {}
  void on_plan(mono_time, const drivers::read_plan& plan, drivers::driver_output&) override {
    ++plans;
    last_plan = plan;
  }
  void on_datagram(mono_time, const endpoint&, byte_view, drivers::driver_output& out) override {
    for (auto& observation : next) out.observations.push_back(std::move(observation));
    next.clear();
  }
  void on_wake(mono_time, drivers::driver_output& out) override { out.datagrams.push_back({{}, {1, 2, 3}}); wake = never; }
  mono_time next_wake() const override { return wake; }

  std::vector<drivers::observation> next;
  drivers::read_plan last_plan;
  int plans = 0;
  mono_time wake = never;
};

// The relay's memory over all sessions, and what it answers.
class scripted_relay {
public:
  // Durable at the relay.
  std::map<outbox_epoch, std::map<record_seq, wire::record>> stored;
  std::map<outbox_epoch, record_seq> acked;
  std::vector<wire::hello> hellos;
  std::vector<wire::message> others;      // config_applied, bye ...
  std::vector<std::string> faults;        // what the gateway did wrong
  bool answers = true;
  bool acks = true;
  std::optional<millis> wall_offset;      // its clock = now + offset; nothing: tells 1970, which nobody believes
  mono_time now{};
  std::optional<wire::config> config;     // sent after a welcome that finds another version
  std::uint64_t config_sent = 0;

  void on_open() {
    reader_ = {};
    hello_seen_ = false;
  }
  // Frames from the gateway; returns what is sent back.
  bytes on_bytes(byte_view data) {
    bytes reply;
    for (;;) {
      auto payload = reader_.next(data);
      if (!payload) {
        faults.push_back("frame");
        return reply;
      }
      if (!*payload) return reply;
      auto message = wire::decode_payload(**payload);
      if (!message) {
        faults.push_back("payload: " + message.error().detail);
        return reply;
      }
      take(*message, reply);
    }
  }

private:
  std::optional<wall_at> wall() const {
    if (!wall_offset) return {};
    return wall_at{now.time_since_epoch() + *wall_offset};
  }
  void put(bytes& reply, const wire::message& message) {
    if (!answers) return;
    const auto frame = wire::encode_frame(message);
    reply.insert(reply.end(), frame->begin(), frame->end());
  }
  void take(const wire::message& message, bytes& reply) {
    if (const auto* hello = std::get_if<wire::hello>(&message)) {
      if (hello_seen_) faults.push_back("second hello");
      hello_seen_ = true;
      hellos.push_back(*hello);
      epoch_ = hello->epoch;
      record_seq& ack = acked[epoch_];
      if (hello->oldest_seq > ack + 1) ack = hello->oldest_seq - 1;  // the gateway gave records up
      put(reply, wire::welcome{wire::protocol_version, ack, wall().value_or(wall_at{}), config ? config->version : 0});
      if (config && config->version != hello->config_version) {
        ++config_sent;
        put(reply, *config);
      }
      return;
    }
    if (!hello_seen_) faults.push_back("something before hello");
    if (const auto* records = std::get_if<wire::records>(&message)) return take_records(*records, reply);
    if (const auto* ping = std::get_if<wire::ping>(&message)) return put(reply, wire::pong{ping->nonce, wall()});
    others.push_back(message);
  }
  void take_records(const wire::records& records, bytes& reply) {
    record_seq& ack = acked[epoch_];
    record_seq seq = records.first_seq;
    if (seq > ack + 1) faults.push_back("gap in sequence");
    for (const auto& record : records.items) {
      if (seq == ack + 1) {
        stored[epoch_][seq] = record;
        ack = seq;
      }
      ++seq;
    }
    if (acks) put(reply, wire::ack{ack});
  }

  wire::frame_reader reader_;
  bool hello_seen_ = false;
  outbox_epoch epoch_{};
};

struct gateway_bench {
  memory_outbox disk{77};
  scripted_relay relay;
  bool line_up = true;                   // connects succeed
  gateway_setup setup;
  mono_time now = mono_from_ms(5'000);
  millis calendar_offset{0};             // the machine's clock = now + offset
  bool disciplined = true;

  // The program, made anew at each start.
  std::unique_ptr<memory_outbox_store> store;
  std::unique_ptr<scripted_driver> device;
  std::vector<drivers::driver*> devices;
  std::unique_ptr<gateway> box;
  gateway_output out;
  std::optional<link_number> link;
  std::uint64_t crashes = 0;

  gateway_bench() {
    setup.id = *gateway_id::parse("box-1");
    setup.boot = 1;
    setup.firmware_version = "0.1.0";
    setup.seed = 5;
    setup.built = wall_from_ms(1'600'000'000'000);
  }

  wall_at wall() const { return wall_at{now.time_since_epoch() + calendar_offset}; }
  void set_wall(wall_at at) { calendar_offset = at.time_since_epoch() - now.time_since_epoch(); }
  system_clock_reading clock() const { return {wall(), disciplined}; }

  void start() {
    store = std::make_unique<memory_outbox_store>(disk);
    device = std::make_unique<scripted_driver>();
    devices = {device.get()};
    box = std::make_unique<gateway>(setup, *store, devices, null_log());
    link.reset();
    ++setup.boot;
    box->on_start(now, clock(), out);
    settle();
  }
  // The power went in the last turn: nothing of it reached the outside.
  bool power_lost() {
    if (!disk.power_is_cut) return false;
    crash();
    return true;
  }
  void crash() {
    out.clear();
    link.reset();
    box.reset();
    disk.power_on();
    ++crashes;
  }
  void stop() {
    box->on_stop(now, out);
    settle();
    box.reset();
  }

  // Carries out the output until nothing is left to do at this instant.
  void settle() {
    while (box && !out.empty()) {
      if (power_lost()) return;
      gateway_output doing;
      std::swap(doing, out);
      for (auto& action : doing.link) {
        if (!box) return;
        carry_out(action);
        if (power_lost()) return;
      }
    }
    if (box) power_lost();
  }
  void carry_out(link_action& action) {
    if (auto* open = std::get_if<link_open>(&action)) {
      if (!line_up) return box->on_link_closed(now, open->link, {errc::net_unreachable, {}}, out);
      link = open->link;
      relay.on_open();
      box->on_link_open(now, open->link, out);
    } else if (auto* send = std::get_if<link_send>(&action)) {
      if (!link || *link != send->link) return;
      relay.now = now;
      const bytes reply = relay.on_bytes(send->data);
      if (!reply.empty()) box->on_link_bytes(now, *link, reply, out);
    } else if (std::get<link_close>(action).link == link) {
      link.reset();
    }
  }

  void cut_line() {
    line_up = false;
    if (!link) return;
    const auto was = *link;
    link.reset();
    box->on_link_closed(now, was, {errc::net_closed, {}}, out);
    settle();
  }

  // Time passes; wakes happen when they are due. False if the power went meanwhile.
  bool run_until(mono_time until) {
    while (box && box->next_wake() <= until) {
      now = std::max(now, box->next_wake());
      box->on_wake(now, out);
      settle();
    }
    if (!box) return false;
    now = std::max(now, until);
    return true;
  }
  bool run_for(millis span) { return run_until(now + span); }
  void tell_clock() {
    box->on_system_clock(now, clock(), out);
    settle();
  }
  void tell_relay_time(const relay_time& time) {
    box->on_relay_time(now, time, out);
    settle();
  }
  void observe(drivers::observation observation) {
    device->next.push_back(std::move(observation));
    box->on_datagram(now, 0, {"192.0.2.9", 3610}, {}, out);
    settle();
  }
  void read(bool on, std::optional<std::uint32_t> wh = {}, std::uint32_t eoj = 0x060201) {
    drivers::reading reading;
    reading.device = "fe00/060201";
    reading.eoj = eoj;
    reading.operating = on;
    reading.energy_wh = wh;
    observe(reading);
  }

  // ---- what the relay has, in order
  template <class T>
  std::vector<T> stored() const {
    std::vector<T> found;
    for (const auto& [epoch, records] : relay.stored) {
      for (const auto& [seq, record] : records) {
        if (const auto* one = std::get_if<T>(&record.body)) found.push_back(*one);
      }
    }
    return found;
  }
  std::vector<wire::event> events(wire::event_kind kind) const {
    auto found = stored<wire::event>();
    std::erase_if(found, [kind](const wire::event& e) { return e.kind != kind; });
    return found;
  }
  // How often each slot was told, by a SlotClosed or in a SlotGap.
  std::map<slot_index, int> told() const {
    std::map<slot_index, int> times;
    for (const auto& slot : stored<wire::slot_closed>()) ++times[slot.slot];
    for (const auto& gap : stored<wire::slot_gap>()) {
      for (std::uint32_t i = 0; i < gap.count; ++i) ++times[gap.first_slot + static_cast<std::int32_t>(i)];
    }
    return times;
  }
};

// A gateway in slot 0 that watches one appliance, its clock right.
inline gateway_bench watching() {
  gateway_bench b;
  b.setup.file_config = config_of({appliance(1)});
  b.set_wall(in_slot(0, 0));
  return b;
}

// A reading a minute until `until`; on between the two moments.
inline void live(gateway_bench& b, wall_at until, wall_at on_from = wall_at::max(), wall_at on_to = wall_at::max()) {
  while (b.box && b.wall() < until) {
    b.read(b.wall() >= on_from && b.wall() < on_to);
    b.run_for(60s);
  }
}

}  // namespace tomoshibi::firmware
