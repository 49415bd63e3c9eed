#include "tools/sim.d/instant_watch.hpp"

#include <array>

namespace tomoshibi::sim {
namespace {

// By event_kind.
constexpr std::array<std::string_view, static_cast<std::size_t>(event_kind::inspect) + 1> names{
    "home_wake",      "to_gateway",    "to_home",         "gateway_wake",         "gateway_restart",        "clock_tick",
    "line_opened",    "line_refused",  "line_to_relay",   "line_to_gateway",      "line_closed_to_relay",
    "line_closed_to_gateway", "relay_wake", "relay_restart", "relay_stopped",     "commit_done",            "mail_done",
    "fault_begins",   "fault_ends",    "calm",            "inspect"};

}  // namespace

std::string_view name_of(event_kind kind) { return names[static_cast<std::size_t>(kind)]; }

std::string instant_watch::what(const event& last) const {
  return "time stands still at " + std::to_string(to_ms(at_)) + " ms: " + std::to_string(count_) + " events, the last one " +
         std::string{name_of(last.kind)} + " of home " + std::to_string(last.home);
}

}  // namespace tomoshibi::sim
