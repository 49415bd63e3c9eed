#include "relay/ctl/home_data.hpp"

#include <array>

namespace tomoshibi::ctl {
namespace {

constexpr std::string_view by_home = "home = ?1";
constexpr std::string_view by_gateway = "gateway IN (SELECT id FROM gateway WHERE home = ?1)";

constexpr std::array<home_table, 15> tables = {{
    {"mail", "home = ?1 OR contact IN (SELECT id FROM contact WHERE home = ?1)"},
    {"episode", by_home},
    {"device_fault", by_home},
    {"device", by_home},
    {"event", by_gateway},
    {"line", by_gateway},
    {"gateway_state", by_gateway},
    {"recount", by_home},
    {"day_broken", by_home},
    {"day", by_home},
    {"contact", by_home},
    {"guard_accounts", by_home, "key_hex"},
    {"appliance", by_home},
    {"gateway", by_home},
    {"home", "id = ?1"},
}};

constexpr std::array<home_table, 9> emergency_tables = {{
    {"sequences", "account IN (SELECT account FROM guard_events WHERE home = ?1)"},
    {"presses", by_home},
    {"guard_events", by_home},
    {"watches", by_home},
    {"troubles", by_home},
    {"alerts", by_home},
    {"dispatches", by_home},
    {"drills", by_home},
    {"mails", by_home},
}};

constexpr std::array<std::string_view, 2> general = {"alive", "setting"};

}  // namespace

std::span<const home_table> home_tables() { return tables; }
std::span<const home_table> emergency_home_tables() { return emergency_tables; }
std::span<const std::string_view> general_tables() { return general; }

}  // namespace tomoshibi::ctl
