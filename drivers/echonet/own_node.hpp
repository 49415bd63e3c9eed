// The gateway as others on the home network see it: node profile 0EF001 and controller 05FF01.
//
// It answers Get, SetC, SetI, SetGet, INF_REQ and INFC as the specification (part 2, clauses 3.2.5, 4.2, 4.3) asks, and
// announces its instance list when it starts. No answer at all: unknown ESV or EHD, an object it does not have, a broken
// frame, an answer. It cannot be used to amplify: at most own_properties_max properties of a request are answered, each
// value once; answers are limited in rate, and multicasts that others cause to one per own_notice_gap.
#pragma once

#include "drivers/driver.hpp"
#include "drivers/echonet/frame.hpp"
#include "drivers/echonet/limits.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace tomoshibi::drivers::echonet {

class own_node {
public:
  explicit own_node(const std::array<std::uint8_t, 13>& unique_part);

  void on_start(mono_time now, std::vector<datagram>& out);
  // Any frame; only requests and INFC are answered.
  void on_frame(mono_time now, const endpoint& from, const frame_view& frame, std::vector<datagram>& out);

  byte_view identification() const { return identification_; }  // property 0x83, 17 bytes

private:
  enum class self : std::uint8_t { profile, control };
  static eoj eoj_of(self object) { return object == self::profile ? node_profile : controller; }

  void answer(mono_time now, const endpoint& from, const frame_view& request, self object, std::vector<datagram>& out);
  bytes answer_get(const frame_view& request, self object) const;
  bytes answer_infc(const frame_view& request, self object) const;
  bool put_read_list(property_list asked, self object, bool for_notice, frame_writer& writer) const;
  bool put_set_list(property_list asked, self object, frame_writer& writer);
  void answer_set(mono_time now, const endpoint& from, const frame_view& request, self object,
                  std::vector<datagram>& out);
  void answer_set_get(mono_time now, const endpoint& from, const frame_view& request, self object,
                      std::vector<datagram>& out);
  void answer_inf_req(mono_time now, const endpoint& from, const frame_view& request, self object,
                      std::vector<datagram>& out);

  bool read(self object, epc_code epc, bytes& out) const;
  bool set(self object, epc_code epc, byte_view value);
  void announce_location_if_changed(mono_time now, std::vector<datagram>& out);
  bool may_answer(mono_time now);
  bool may_announce(mono_time now);
  void reply(mono_time now, const endpoint& from, bytes frame, std::vector<datagram>& out);

  std::array<std::uint8_t, 17> identification_{};
  bytes location_{0x00};         // 0x81 of the controller: 0 = not set
  bool location_changed_ = false;
  std::uint16_t next_tid_ = 1;
  std::uint32_t answers_left_ = own_answers_burst;
  mono_time refilled_at_{};
  mono_time announced_at_ = mono_time::min();
};

}  // namespace tomoshibi::drivers::echonet
