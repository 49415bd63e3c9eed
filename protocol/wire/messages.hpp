// The messages of the device channel and the emergency lane as plain values. protocol/schema/tomoshibi.proto is the
// contract; this is its C++ face.
//
// Limits are checked on decoding: what is over a limit, lacks its body or carries an unlisted enum value is refused as
// malformed, but for an unlisted source of a press (a button) and kind of trouble (left out); unknown fields are skipped. A
// frame whose only body is one that this program does not know is refused as unsupported: the receiver may skip it. Times
// are UTC milliseconds, not negative, up to the end of slot_value_max.
#pragma once

#include "protocol/base/bytes.hpp"
#include "protocol/base/ids.hpp"
#include "protocol/base/press.hpp"
#include "protocol/base/result.hpp"
#include "protocol/base/slot.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace tomoshibi::wire {

inline constexpr std::uint32_t protocol_version = 1;
inline constexpr std::size_t frame_payload_max = 4094;  // with its 2-byte length a frame is at most 4 KiB
inline constexpr std::size_t appliances_max = 32;       // per home: a slot record of all of them fits one frame
inline constexpr std::size_t label_bytes_max = 48;
inline constexpr std::size_t device_key_max = 64;
inline constexpr std::size_t text_bytes_max = 120;
inline constexpr std::size_t version_bytes_max = 32;
inline constexpr std::size_t record_bytes_max = 1'500;  // encoded; the largest, 32 appliances in one slot, has about 1,000
inline constexpr std::int32_t slot_value_max = 96 * 366 * 300;  // about the year 2270; also bounds every time told
inline constexpr std::uint32_t gap_slots_max = 96 * 400;  // a longer gap is sent in parts
inline constexpr std::size_t troubles_max = 80;         // 64 buttons, and what a box itself can have; not all with long names

struct hello {
  std::uint32_t protocol_version = wire::protocol_version;
  std::string gateway;
  std::uint64_t boot = 0;
  std::string firmware_version;
  outbox_epoch epoch{};
  record_seq oldest_seq = 1;
  record_seq next_seq = 1;
  std::uint32_t config_version = 0;
  std::optional<wall_at> wall;
  bool clock_synced = false;
  bool operator==(const hello&) const = default;
};

struct welcome {
  std::uint32_t protocol_version = wire::protocol_version;
  record_seq acked_seq = 0;
  wall_at wall{};
  std::uint32_t config_version = 0;
  bool operator==(const welcome&) const = default;
};

struct appliance_slot {
  appliance_id appliance{};
  slot_state state = slot_state::unknown;
  std::uint16_t on_seconds = 0;            // 0..900
  std::optional<std::uint32_t> energy_wh;
  bool energy_after_gap = false;
  std::uint16_t readings_expected = 0;
  std::uint16_t readings_got = 0;
  bool operator==(const appliance_slot&) const = default;
};

struct slot_closed {
  slot_index slot;
  bool time_uncertain = false;
  std::vector<appliance_slot> appliances;  // <= appliances_max
  bool operator==(const slot_closed&) const = default;
};

enum class gap_reason : std::uint8_t { gateway_off = 1, clock_step = 2, no_clock = 3 };

struct slot_gap {
  slot_index first_slot;
  std::uint32_t count = 0;                 // 1..gap_slots_max
  gap_reason reason = gap_reason::gateway_off;
  bool time_uncertain = false;
  std::vector<appliance_id> appliances;
  bool operator==(const slot_gap&) const = default;
};

enum class device_change : std::uint8_t { found = 1, moved = 2, silent = 3, back = 4 };

struct device_report {
  std::string device;
  device_change change = device_change::found;
  std::uint32_t maker = 0;
  std::optional<appliance_id> appliance;
  wall_at since{};
  bool operator==(const device_report&) const = default;
};

struct device_fault {
  std::string device;
  bool faulty = false;
  std::uint32_t description = 0;
  std::optional<appliance_id> appliance;
  bool operator==(const device_fault&) const = default;
};

enum class event_kind : std::uint8_t {
  started = 1, outbox_recreated, clock_stepped, clock_synced, records_dropped, config_applied, config_refused,
  meter_rebased,
};

struct event {
  event_kind kind = event_kind::started;
  std::int64_t value = 0;
  bool operator==(const event&) const = default;
};

struct record {
  std::variant<slot_closed, slot_gap, device_report, device_fault, event> body;
  wall_at made{};
  bool operator==(const record&) const = default;
};

struct records {
  record_seq first_seq = 0;
  std::vector<record> items;
  bool operator==(const records&) const = default;
};

struct ack {
  record_seq acked_seq = 0;
  bool operator==(const ack&) const = default;
};

enum class on_rule_kind : std::uint8_t { operation_status = 1, watts_above = 2, sensor_state = 3 };

struct watched_appliance {
  appliance_id appliance{};
  std::string label;
  std::string node;                        // empty = any node
  std::uint32_t eoj = 0;                   // 0xGGCCII; instance 0 = any
  on_rule_kind on_rule = on_rule_kind::operation_status;
  std::uint32_t watts_above = 0;
  std::uint32_t power_w_max = 3000;
  bool operator==(const watched_appliance&) const = default;
};

struct config {
  std::uint32_t version = 0;
  std::uint32_t poll_interval_s = 60;      // 1..900
  std::uint32_t gap_limit_s = 180;         // >= poll_interval_s, <= 3600
  std::vector<watched_appliance> appliances;
  bool operator==(const config&) const = default;
};

struct config_applied {
  std::uint32_t version = 0;
  bool accepted = true;
  std::string reason;
  bool operator==(const config_applied&) const = default;
};

struct ping {
  std::uint64_t nonce = 0;
  bool operator==(const ping&) const = default;
};

struct pong {
  std::uint64_t nonce = 0;
  std::optional<wall_at> wall;
  bool operator==(const pong&) const = default;
};

enum class bye_reason : std::uint8_t {
  shutdown = 1, wrong_version, identity, revoked, malformed, replaced, overload, timeout, unknown_gateway,
};
std::string_view name_of(bye_reason reason);

struct bye {
  bye_reason reason = bye_reason::shutdown;
  std::string text;
  bool operator==(const bye&) const = default;
};

struct press {
  press_id id{};                           // not 0
  press_source source = press_source::button;
  std::string button;                      // <= device_key_max
  std::optional<wall_at> occurred;
  std::uint32_t age_ms = 0;
  std::optional<std::uint64_t> request;    // the drill_request that it answers
  bool operator==(const press&) const = default;
};

struct press_news {
  press_id id{};                           // not 0
  press_stage stage = press_stage::received;  // received, accepted or closed
  bool operator==(const press_news&) const = default;
};

struct lane_hello {
  std::uint32_t protocol_version = wire::protocol_version;
  std::string gateway;
  std::uint64_t boot = 0;
  std::string firmware_version;
  bool operator==(const lane_hello&) const = default;
};

struct lane_welcome {
  wall_at wall{};
  bool operator==(const lane_welcome&) const = default;
};

// Microseconds since the press, by the gateway's monotonic clock; absent: not known, or not come to yet.
struct press_times {
  std::optional<std::uint32_t> durable_us;
  std::optional<std::uint32_t> received_us;
  std::optional<std::uint32_t> accepted_us;
  std::optional<std::uint32_t> shown_us;   // accepted, on the panel
  bool operator==(const press_times&) const = default;
};

struct press_report {
  press_id id{};                           // not 0
  press_source source = press_source::button;
  std::string button;
  std::optional<wall_at> occurred;
  press_path path = press_path::none;      // none: an interim report
  bool was_undelivered = false;
  bool interrupted = false;
  press_times times;
  std::optional<std::uint64_t> request;
  bool operator==(const press_report&) const = default;
};

struct trouble {
  trouble_kind kind = trouble_kind::button_stuck;
  std::string button;                      // <= device_key_max
  bool operator==(const trouble&) const = default;
};

struct box_state {
  std::vector<trouble> troubles;           // <= troubles_max; the frame's own limit holds beside it
  bool operator==(const box_state&) const = default;
};

struct drill_request {
  std::uint64_t request = 0;               // not 0
  bool operator==(const drill_request&) const = default;
};

using message = std::variant<hello, welcome, records, ack, config, config_applied, ping, pong, bye, press, press_news,
                             lane_hello, lane_welcome, press_report, box_state, drill_request>;

// The last seven belong to the emergency lane, and to nothing else.
bool of_emergency_lane(const message& m);

// A whole frame, length first. Fails with too_long when the message does not fit: a caller that sends records
// uses records_builder. Texts over their limit are cut at a character. Lists over theirs: too_long.
result<bytes> encode_frame(const message& m);
result<message> decode_payload(byte_view payload);  // without the length

// One record by itself: what the outbox keeps and what Records carries.
bytes encode_record(const record& r);               // never fails within the limits above
result<record> decode_record(byte_view data);

// A Records frame from records already encoded, without decoding them.
class records_builder {
public:
  explicit records_builder(record_seq first_seq);
  bool add(byte_view encoded_record);               // false: does not fit any more, or is longer than record_bytes_max
  std::size_t count() const { return count_; }
  bytes frame() const;                              // a whole frame, length first; send it only with count() >= 1

private:
  bytes payload_;                                   // of the Records message
  std::size_t count_ = 0;
};

}  // namespace tomoshibi::wire
