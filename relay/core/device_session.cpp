#include "relay/core/device_session.hpp"

#include <variant>

namespace tomoshibi::relay {
namespace {

wire::bye_reason wire_reason(close_reason reason) {
  switch (reason) {
    case close_reason::done: return wire::bye_reason::shutdown;
    case close_reason::replaced: return wire::bye_reason::replaced;
    case close_reason::idle:
    case close_reason::no_hello: return wire::bye_reason::timeout;
    case close_reason::malformed: return wire::bye_reason::malformed;
    case close_reason::protocol_version: return wire::bye_reason::wrong_version;
    case close_reason::identity: return wire::bye_reason::identity;
    case close_reason::unknown_gateway: return wire::bye_reason::unknown_gateway;
    case close_reason::revoked: return wire::bye_reason::revoked;
    case close_reason::overload: return wire::bye_reason::overload;
  }
  return wire::bye_reason::malformed;
}

template <class... Kinds>
bool is_one_of(const wire::message& m) {
  return (std::holds_alternative<Kinds>(m) || ...);
}

}  // namespace

wire::bye bye_for(const refusal& why) { return {.reason = wire_reason(why.reason), .text = why.detail}; }

void session_rate::roll(mono_time now) {
  if (now - from >= rate_window) *this = {.from = now};
}

std::optional<refusal> device_session::go_on_counting(const session_rate& former, mono_time now, const limits& l) {
  rate_.roll(now);
  if (now - former.from < rate_window) {
    rate_.from = std::min(rate_.from, former.from);
    rate_.bytes += former.bytes;
    rate_.frames += former.frames;
    rate_.hellos += former.hellos;
  }
  if (++rate_.hellos <= l.hellos_per_min) return std::nullopt;
  return refusal{close_reason::overload, "more than " + std::to_string(l.hellos_per_min) + " connections a minute"};
}

std::optional<refusal> device_session::admit(mono_time now, std::size_t size, const limits& l) {
  rate_.roll(now);
  rate_.bytes += static_cast<std::uint32_t>(size);
  if (rate_.bytes <= l.session_bytes_per_min) return std::nullopt;
  return refusal{close_reason::overload, "more than " + std::to_string(l.session_bytes_per_min) + " bytes a minute"};
}

std::expected<std::optional<wire::message>, refusal> device_session::next(byte_view& data, const limits& l,
                                                                          health& count) {
  for (;;) {
    const auto frame = reader_.next(data);
    if (!frame) return std::unexpected(refusal{close_reason::malformed, frame.error().detail});
    if (!*frame) return std::optional<wire::message>{};
    ++count.frames_in;
    ++frames_taken_;
    if (++rate_.frames > l.session_frames_per_min)
      return std::unexpected(
          refusal{close_reason::overload, "more than " + std::to_string(l.session_frames_per_min) + " frames a minute"});

    auto m = wire::decode_payload(**frame);
    if (!m && m.error().code == errc::unsupported && live_) continue;  // of a newer version, told to be skipped
    if (!m) return std::unexpected(refusal{close_reason::malformed, m.error().detail});
    if (auto wrong = out_of_order(*m)) return std::unexpected(std::move(*wrong));
    return std::optional<wire::message>{std::move(*m)};
  }
}

// What never goes from a gateway to a relay, or not on this kind of connection.
std::optional<refusal> device_session::out_of_place(const wire::message& m) const {
  if (kind_ == session_kind::device) {
    if (is_one_of<wire::welcome, wire::ack, wire::config>(m))
      return refusal{close_reason::malformed, "a message that only a relay sends"};
    if (wire::of_emergency_lane(m)) return refusal{close_reason::malformed, "a message of the emergency lane"};
    return std::nullopt;
  }
  if (is_one_of<wire::press_news, wire::lane_welcome, wire::drill_request>(m))
    return refusal{close_reason::malformed, "a message that only a relay sends"};
  if (!wire::of_emergency_lane(m) && !is_one_of<wire::ping, wire::pong, wire::bye>(m))
    return refusal{close_reason::malformed, "a message of the device channel"};
  return std::nullopt;
}

std::optional<refusal> device_session::out_of_order(const wire::message& m) const {
  if (auto wrong = out_of_place(m)) return wrong;
  const bool is_hello = is_one_of<wire::hello, wire::lane_hello>(m);
  if (!live_ && !is_hello && !std::holds_alternative<wire::bye>(m))
    return refusal{close_reason::malformed, "a message before hello"};
  if (live_ && is_hello) return refusal{close_reason::malformed, "a second hello"};
  return std::nullopt;
}

}  // namespace tomoshibi::relay
