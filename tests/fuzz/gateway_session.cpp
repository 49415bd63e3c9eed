// The whole gateway under a hostile relay, a bad clock, a failing store and power cuts.
//
// It keeps to the protocol whatever it is told: hello comes first, frames are whole, only what the store holds is sent, in
// order and without holes, at most so many frames wait for an acknowledgement, nothing goes to a link that is not there,
// and it always knows when to wake.
#include "firmware/core/gateway.hpp"
#include "firmware/core/uplink.hpp"
#include "firmware/ports/memory_outbox_store.hpp"
#include "protocol/base/check.hpp"
#include "protocol/wire/frame_reader.hpp"
#include "tests/fuzz/input.hpp"

#include <deque>
#include <memory>

using namespace tomoshibi;
using namespace tomoshibi::firmware;

namespace {

constexpr int actions_max = 400;
// All waiting of an input together. Every wake in it is played: with hundreds of waits of hours each, one input took seconds,
// and minutes of fuzzing were hundreds of inputs. The time at the end comes on top.
constexpr millis time_max = 36h;
constexpr millis time_at_end = 2h;
constexpr wall_at usual_wall = start_of(slot_index{1'996'800});

class trial {
public:
  explicit trial(fuzz::input in) : in_(in) { start(); }

  void run() {
    for (int i = 0; i < actions_max && in_.left(); ++i) act();
    time_left_ = time_at_end;
    pass(time_at_end);
    box_->on_stop(now_, out_);
    drain();
    TOMO_REQUIRE(checks_failed() == 0);
  }

private:
  void start() {
    gateway_setup setup;
    setup.id = *gateway_id::parse("box-1");
    setup.boot = ++boots_;
    setup.seed = 5;
    setup.built = wall_from_ms(1'600'000'000'000);
    setup.file_config = wire::config{};
    setup.file_config->appliances.push_back({.appliance = appliance_id{1}, .label = "tv", .node = "", .eoj = 0x060200});
    open_ = false;
    link_ = 0;
    box_ = std::make_unique<gateway>(setup, store_, std::span<drivers::driver* const>{}, null_log());
    box_->on_start(now_, clock_, out_);
    drain();
  }

  void act() {
    switch (in_.below(17)) {
      case 0: return pass(millis{std::int64_t{1} << in_.below(24)});
      case 1: return dialled();
      case 2: return tell(wire::welcome{.protocol_version = in_.below(8) == 0 ? 2u : 1u, .acked_seq = sequence(),
                                        .wall = wall(), .config_version = in_.u8()});
      case 3: return tell(wire::ack{sequence()});
      case 4: return tell(config());
      case 5: return tell(wire::pong{in_.flag() ? nonce_ : in_.number(), in_.flag() ? std::optional{wall()} : std::nullopt});
      case 6: return tell(wire::ping{in_.number()});
      case 7: return tell(wire::bye{in_.any_of(wire::bye_reason::unknown_gateway), in_.text(16)});
      case 8: return hear(in_.part(64));
      case 9: return payload(in_.part(64));
      case 10: return hang_up();
      case 11: return stale();
      case 12: disk_.fail_from = disk_.commits + 1, disk_.fail_count = in_.below(8); return;
      case 13: disk_.loads_to_fail = in_.below(4); return;
      case 14: return set_clock();
      case 15: return cut_power();
      default: return tell(wire::records{.first_seq = 1, .items = {{wire::event{}, {}}}});
    }
  }

  // ---- what the fuzzer may say

  record_seq sequence() {
    switch (in_.below(5)) {
      case 0: return 0;
      case 1: return disk_.next - 1;
      case 2: return sent_through_;
      case 3: return disk_.next + in_.u8();
      default: return in_.number();
    }
  }
  wall_at wall() {
    switch (in_.below(4)) {
      case 0: return {};
      case 1: return usual_wall + now_.time_since_epoch();
      case 2: return usual_wall + now_.time_since_epoch() + millis{static_cast<std::int16_t>(in_.u16())} * 1000;
      default: return wall_from_ms(static_cast<std::int64_t>(in_.number() % (std::uint64_t{1} << 43)));
    }
  }
  wire::config config() {
    wire::config c{.version = in_.u8(), .poll_interval_s = in_.u16(), .gap_limit_s = in_.u16(), .appliances = {}};
    c.appliances.resize(in_.below(40));
    for (auto& a : c.appliances) {
      a.appliance = static_cast<appliance_id>(in_.u8());
      a.node = in_.text(4);
      a.eoj = in_.u32() & 0xffffff;
      a.on_rule = in_.any_of(wire::on_rule_kind::sensor_state);
    }
    return c;
  }

  // ---- what happens

  void hear(byte_view data) {
    if (!open_) return;
    box_->on_link_bytes(now_, link_, data, out_);
    drain();
  }
  void payload(byte_view data) {
    bytes frame;
    put_u16(frame, static_cast<std::uint16_t>(data.size()));
    put_bytes(frame, data);
    hear(frame);
  }
  void tell(const wire::message& m) {
    const auto frame = wire::encode_frame(m);
    if (!frame || !open_) return;
    // The acknowledgement counts before the gateway hears of it: its answer may already use the room.
    if (const auto* a = std::get_if<wire::ack>(&m)) forget_acknowledged(a->acked_seq);
    hear(*frame);
  }
  void dialled() {
    if (link_ == 0 || open_) return;
    open_ = true;
    hello_sent_ = false;
    reader_ = {};
    in_flight_.clear();
    box_->on_link_open(now_, link_, out_);
    drain();
  }
  void hang_up() {
    if (link_ == 0) return;
    const link_number was = link_;
    link_ = 0;
    open_ = false;
    box_->on_link_closed(now_, was, {errc::net_closed, ""}, out_);
    drain();
  }
  void stale() {
    const link_number other = static_cast<link_number>(link_ + in_.u8());
    if (other == link_) return;
    if (in_.flag()) box_->on_link_closed(now_, other, {errc::net_closed, ""}, out_);
    else box_->on_link_bytes(now_, other, in_.part(16), out_);
    drain();
  }
  void set_clock() {
    clock_ = {wall(), in_.flag()};
    box_->on_system_clock(now_, clock_, out_);
    drain();
  }
  void cut_power() {
    box_.reset();
    out_.clear();
    start();
  }
  void pass(millis time) {
    time = std::min(time, time_left_);
    time_left_ -= time;
    const mono_time end = now_ + time;
    int turns = 0;
    while (box_->next_wake() <= end) {
      const mono_time wake = box_->next_wake();
      turns = wake > now_ ? 0 : turns + 1;
      TOMO_REQUIRE(turns < 1'000);  // or time would stand still
      now_ = std::max(now_, wake);
      box_->on_wake(now_, out_);
      drain();
    }
    now_ = end;
  }

  // ---- what it may do

  void drain() {
    std::vector<link_action> actions;
    actions.swap(out_.link);
    for (const link_action& a : actions) {
      if (const auto* open = std::get_if<link_open>(&a)) {
        TOMO_REQUIRE(link_ == 0);
        link_ = open->link;
      } else if (const auto* send = std::get_if<link_send>(&a)) {
        TOMO_REQUIRE(open_ && send->link == link_);
        check_frame(send->data);
      } else {
        TOMO_REQUIRE(std::get<link_close>(a).link == link_ && link_ != 0);
        link_ = 0;
        open_ = false;
      }
    }
    TOMO_REQUIRE(out_.datagrams.empty());
    TOMO_REQUIRE(disk_.records.size() <= 6144);
  }
  void check_frame(byte_view data) {
    const auto whole = reader_.next(data);
    TOMO_REQUIRE(whole && *whole && data.empty());
    const auto m = wire::decode_payload(**whole);
    TOMO_REQUIRE(m.has_value());
    TOMO_REQUIRE(std::holds_alternative<wire::hello>(*m) != hello_sent_);
    hello_sent_ = true;
    if (const auto* p = std::get_if<wire::ping>(&*m)) nonce_ = p->nonce;
    if (const auto* h = std::get_if<wire::hello>(&*m)) {
      TOMO_REQUIRE(h->epoch == disk_.epoch && h->next_seq == disk_.next);
      sent_through_ = h->oldest_seq - 1;
      first_records_ = true;
    }
    if (const auto* r = std::get_if<wire::records>(&*m)) check_records(*r);
  }
  void check_records(const wire::records& r) {
    // The first frame of a session may begin behind what the welcome acknowledged.
    TOMO_REQUIRE(first_records_ ? r.first_seq > sent_through_ : r.first_seq == sent_through_ + 1);
    first_records_ = false;
    TOMO_REQUIRE(!disk_.records.empty() && r.first_seq >= disk_.records.front().seq);
    for (std::size_t i = 0; i < r.items.size(); ++i) {
      const std::size_t at = static_cast<std::size_t>(r.first_seq - disk_.records.front().seq) + i;
      TOMO_REQUIRE(at < disk_.records.size());
      const auto held = wire::decode_record(disk_.records[at].data);
      TOMO_REQUIRE(held.has_value() && *held == r.items[i]);
    }
    sent_through_ = r.first_seq + r.items.size() - 1;
    in_flight_.push_back(sent_through_);
    TOMO_REQUIRE(in_flight_.size() <= frames_in_flight_max);
  }
  void forget_acknowledged(record_seq acked) {
    if (acked > sent_through_) return;  // nonsense: it hangs up
    while (!in_flight_.empty() && in_flight_.front() <= acked) in_flight_.pop_front();
  }

  fuzz::input in_;
  memory_outbox disk_{77};
  memory_outbox_store store_{disk_};
  std::unique_ptr<gateway> box_;
  gateway_output out_;
  mono_time now_ = mono_from_ms(5'000);
  millis time_left_ = time_max;
  system_clock_reading clock_{usual_wall, true};
  std::uint64_t boots_ = 0;
  link_number link_ = 0;  // asked for and not given up; 0: none
  bool open_ = false;
  wire::frame_reader reader_;
  bool hello_sent_ = false;
  bool first_records_ = false;
  std::uint64_t nonce_ = 0;
  record_seq sent_through_ = 0;
  std::deque<record_seq> in_flight_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  trial{{data, size}}.run();
  return 0;
}
