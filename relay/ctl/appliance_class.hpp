// Kinds of appliances by the names operators use, as ECHONET objects (Appendix: class groups 00, 02, 03, 05, 06).
#pragma once

#include "protocol/base/result.hpp"
#include "protocol/wire/messages.hpp"

#include <string>
#include <string_view>

namespace tomoshibi::ctl {

// "tv", "rice-cooker" ..., or 0xGGCC / 0xGGCCII. The instance is 0 (any) unless given.
result<std::uint32_t> parse_class(std::string_view option, std::string_view text);
std::string class_name(std::uint32_t eoj);  // "tv", "tv instance 2", "0x013001"

// "operation", "sensor", "watts:N"; empty = what is usual for the class.
status parse_on_rule(std::string_view option, std::string_view text, wire::watched_appliance& into);
// Whether devices of the class can tell what the rule asks for. Classes without a name here: believed.
status check_on_rule(std::string_view option, const wire::watched_appliance& a);
std::string on_rule_name(const wire::watched_appliance& a);

// Node identity: empty (any), 34 hex digits of property 0x83, or ip:<address>.
result<std::string> parse_node(std::string_view option, std::string_view text);

}  // namespace tomoshibi::ctl
