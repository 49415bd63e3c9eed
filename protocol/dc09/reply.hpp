// What a guard centre's answer is worth. An event counts as delivered only after an ACK that is whole, answers exactly the
// frame that is out, and is of this moment; everything else is named and is no answer. CRC is no signature: against one who
// can write on the line only the TLS around it helps (docs/DC09.md, "What DC-09 cannot promise").
#pragma once

#include "protocol/dc09/frame.hpp"

namespace tomoshibi::dc09 {

// How far the stamp of an ACK may be from our corrected time; the same window that a centre has for us.
inline constexpr millis late_max = 40s;
inline constexpr millis ahead_max = 20s;
// A NAK is never authenticated: what it says of the time is believed only so far, and moves nothing but our stamps.
inline constexpr millis offset_max = 24h;

enum class verdict : std::uint8_t {
  delivered = 1,
  clock_wrong,        // NAK with a time: `offset` is what our clock lacks
  refused,            // NAK without a time, or with one that is out of bounds
  cannot_process,     // DUH: this receiver will not take this event; do not repeat
  not_believed,       // no answer; `why` and `broken` say what it was
};

enum class disbelief : std::uint8_t {
  none,
  malformed,          // `broken` says how
  no_reply,           // a frame that answers nothing (an event, a NULL, an RSP)
  foreign_sequence,   // another frame's answer, or an old one
  foreign_account,
  foreign_prefix,     // another receiver's or line's
  not_encrypted,      // a plain ACK to an encrypted frame
  stale,              // stamped outside the window
};
std::string_view name_of(verdict v);
std::string_view name_of(disbelief d);

// The frame that is out.
struct sent_frame {
  bool encrypted = false;
  std::uint16_t sequence = 0;
  std::optional<std::string> receiver = {};
  std::string line = "0";
  std::string account = {};
};

struct reply {
  verdict is = verdict::not_believed;
  disbelief why = disbelief::none;
  fault broken{};
  millis offset{0};   // clock_wrong: centre's time minus `wall`
};

// `whole`: from LF to CR. `wall`: our clock as it is; `correction`: what is added to it for stamps towards this receiver.
reply judge_reply(std::string_view whole, const sent_frame& out, const cipher* key, wall_at wall, millis correction);

}  // namespace tomoshibi::dc09
