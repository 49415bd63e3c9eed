// What tomoshibi-ctl writes to the control socket, one line; see data_folder.hpp.
#pragma once

#include "relay/ports/emergency_requests.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace tomoshibi::relay {

struct ask_reload {};
struct ask_status {};
using control_request = std::variant<ask_reload, ask_status, emergency_request>;

// malformed: no such line. Texts are checked: UTF-8 on one line, of 1 to as many bytes as the book keeps.
result<control_request> read_control_line(std::string_view line);
std::string write_control_line(const emergency_request& r);

// "ok <16 hexadecimal digits>", or "error <code> <detail>" without line ends.
std::string write_control_answer(const result<std::uint64_t>& id);
result<std::uint64_t> read_control_answer(std::string_view line);

}  // namespace tomoshibi::relay
