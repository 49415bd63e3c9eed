// Between our values and the generated structures, one pair of functions for each message.
//
// to_pb: false if the value breaks a limit that cannot be met by cutting a text.
// from_pb: false if a field is out of its range or an enum value is not listed.
// Private to protocol/wire.
#pragma once

#include "protocol/schema/tomoshibi.pb.h"
#include "protocol/wire/messages.hpp"

namespace tomoshibi::wire {

bool to_pb(const hello& v, tomoshibi_v1_Hello& p);
bool to_pb(const welcome& v, tomoshibi_v1_Welcome& p);
bool to_pb(const slot_closed& v, tomoshibi_v1_SlotClosed& p);
bool to_pb(const slot_gap& v, tomoshibi_v1_SlotGap& p);
bool to_pb(const device_report& v, tomoshibi_v1_DeviceReport& p);
bool to_pb(const device_fault& v, tomoshibi_v1_DeviceFault& p);
bool to_pb(const event& v, tomoshibi_v1_Event& p);
bool to_pb(const ack& v, tomoshibi_v1_Ack& p);
bool to_pb(const config& v, tomoshibi_v1_Config& p);
bool to_pb(const config_applied& v, tomoshibi_v1_ConfigApplied& p);
bool to_pb(const ping& v, tomoshibi_v1_Ping& p);
bool to_pb(const pong& v, tomoshibi_v1_Pong& p);
bool to_pb(const bye& v, tomoshibi_v1_Bye& p);
bool to_pb(const press& v, tomoshibi_v1_Press& p);
bool to_pb(const press_news& v, tomoshibi_v1_PressNews& p);
bool to_pb(const lane_hello& v, tomoshibi_v1_LaneHello& p);
bool to_pb(const lane_welcome& v, tomoshibi_v1_LaneWelcome& p);
bool to_pb(const press_report& v, tomoshibi_v1_PressReport& p);
bool to_pb(const box_state& v, tomoshibi_v1_BoxState& p);
bool to_pb(const drill_request& v, tomoshibi_v1_DrillRequest& p);

bool from_pb(const tomoshibi_v1_Hello& p, hello& v);
bool from_pb(const tomoshibi_v1_Welcome& p, welcome& v);
bool from_pb(const tomoshibi_v1_SlotGap& p, slot_gap& v);
bool from_pb(const tomoshibi_v1_DeviceReport& p, device_report& v);
bool from_pb(const tomoshibi_v1_DeviceFault& p, device_fault& v);
bool from_pb(const tomoshibi_v1_Event& p, event& v);
bool from_pb(const tomoshibi_v1_Ack& p, ack& v);
bool from_pb(const tomoshibi_v1_Config& p, config& v);
bool from_pb(const tomoshibi_v1_ConfigApplied& p, config_applied& v);
bool from_pb(const tomoshibi_v1_Ping& p, ping& v);
bool from_pb(const tomoshibi_v1_Pong& p, pong& v);
bool from_pb(const tomoshibi_v1_Bye& p, bye& v);
bool from_pb(const tomoshibi_v1_Press& p, press& v);
bool from_pb(const tomoshibi_v1_PressNews& p, press_news& v);
bool from_pb(const tomoshibi_v1_LaneHello& p, lane_hello& v);
bool from_pb(const tomoshibi_v1_LaneWelcome& p, lane_welcome& v);
bool from_pb(const tomoshibi_v1_PressReport& p, press_report& v);
bool from_pb(const tomoshibi_v1_BoxState& p, box_state& v);
bool from_pb(const tomoshibi_v1_DrillRequest& p, drill_request& v);

// The time range of the protocol: 0 <= t <= end of slot_value_max, so that no sum of a time and a duration overflows.
bool time_in_range(std::int64_t ms);

// ---- which field of which container carries a message

template <class V> struct leaf;
#define TOMOSHIBI_LEAF(VALUE, PB, TAG)                                           \
  template <> struct leaf<VALUE> {                                               \
    using pb = tomoshibi_v1_##PB;                                                \
    static const pb_msgdesc_t* fields() { return tomoshibi_v1_##PB##_fields; }   \
    static constexpr std::uint32_t tag = TAG;                                    \
  };
// Frame.body
TOMOSHIBI_LEAF(hello, Hello, 1)
TOMOSHIBI_LEAF(welcome, Welcome, 2)
TOMOSHIBI_LEAF(ack, Ack, 4)
TOMOSHIBI_LEAF(config, Config, 5)
TOMOSHIBI_LEAF(config_applied, ConfigApplied, 6)
TOMOSHIBI_LEAF(ping, Ping, 7)
TOMOSHIBI_LEAF(pong, Pong, 8)
TOMOSHIBI_LEAF(bye, Bye, 9)
TOMOSHIBI_LEAF(press, Press, 16)
TOMOSHIBI_LEAF(press_news, PressNews, 17)
TOMOSHIBI_LEAF(lane_hello, LaneHello, 23)
TOMOSHIBI_LEAF(lane_welcome, LaneWelcome, 24)
TOMOSHIBI_LEAF(press_report, PressReport, 25)
TOMOSHIBI_LEAF(box_state, BoxState, 26)
TOMOSHIBI_LEAF(drill_request, DrillRequest, 27)
// Record.body
TOMOSHIBI_LEAF(slot_closed, SlotClosed, 1)
TOMOSHIBI_LEAF(slot_gap, SlotGap, 2)
TOMOSHIBI_LEAF(device_report, DeviceReport, 3)
TOMOSHIBI_LEAF(device_fault, DeviceFault, 4)
TOMOSHIBI_LEAF(event, Event, 5)
#undef TOMOSHIBI_LEAF
inline constexpr std::uint32_t frame_records_tag = 3;
inline constexpr std::uint32_t records_first_seq_tag = 1;
inline constexpr std::uint32_t records_record_tag = 2;
inline constexpr std::uint32_t record_made_ms_tag = 15;

}  // namespace tomoshibi::wire
