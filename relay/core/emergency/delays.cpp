#include "relay/core/emergency/delays.hpp"

#include <algorithm>

namespace tomoshibi::relay {
namespace {

using time_us = std::optional<std::uint32_t>;

time_us between(time_us from, time_us until) {
  if (!from || !until || *until < *from) return std::nullopt;
  return *until - *from;
}

}  // namespace

std::string_view name_of(press_hop hop) {
  static constexpr std::array<std::string_view, press_hops> names{"durable", "stored", "centre", "direct",
                                                                  "shown",   "to_ack", "whole"};
  return names.at(static_cast<std::size_t>(hop));
}

std::optional<std::uint32_t> hop_us(const press_row& p, press_hop hop) {
  if (p.interrupted) return std::nullopt;
  const bool direct = p.reported_path == press_path::direct;
  switch (hop) {
    case press_hop::durable: return p.durable_us;
    case press_hop::stored: return between(p.durable_us, p.received_us);
    case press_hop::centre: return direct ? std::nullopt : between(p.received_us, p.accepted_us);
    case press_hop::direct: return direct ? between(p.durable_us, p.accepted_us) : std::nullopt;
    case press_hop::shown: return between(p.accepted_us, p.shown_us);
    case press_hop::to_ack: return p.accepted_us;
    case press_hop::whole: break;
  }
  return p.shown_us;
}

void delay_histogram::add(std::uint32_t us) {
  for (std::size_t i = 0; i < bounds_us.size(); ++i)
    if (us <= bounds_us[i]) ++at_most_[i];
  ++count_;
  sum_us_ += us;
  max_us_ = std::max(max_us_, us);
}

void press_delays::add(const press_row& p) {
  if (p.interrupted) ++interrupted;
  auto& into = p.test ? drills : real;
  for (std::size_t i = 0; i < press_hops; ++i)
    if (const auto us = hop_us(p, static_cast<press_hop>(i))) into[i].add(*us);
}

}  // namespace tomoshibi::relay
