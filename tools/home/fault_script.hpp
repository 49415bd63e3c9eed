// Faults to be played at given times: CSV with the columns at,until,node,fault,param.
//
//   at, until  times as in a record; until may be empty: for good
//   node       a node's name in the mapping, or * for all
//   fault      a name of the table that fault_names() gives
//   param      what the table says: milliseconds, watt-hours, a count, or a share in per mille; may be empty
#pragma once

#include "drivers/echonet/twin/twin_faults.hpp"
#include "protocol/base/result.hpp"
#include "protocol/base/time.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tomoshibi::home {

inline constexpr std::size_t faults_max = 1000;
inline constexpr std::size_t fault_script_bytes_max = 1u << 20;

struct scripted_fault {
  wall_at at{};
  std::optional<wall_at> until;
  std::string node;                      // "*" = all
  drivers::echonet::twin::fault_kind kind{};
  std::uint32_t amount = 0;
  std::uint32_t per_mille = 1000;
};

// Errors: config_invalid with "file:line: what is allowed".
result<std::vector<scripted_fault>> parse_fault_script(std::string_view text, std::string_view file,
                                                       std::chrono::minutes zone, const std::vector<std::string>& nodes);

// For --help: one line for each fault.
std::string fault_names();

}  // namespace tomoshibi::home
