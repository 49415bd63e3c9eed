#include "firmware/shell/version.hpp"

namespace tomoshibi::firmware {

std::string_view version() { return TOMOSHIBI_VERSION; }
wall_at build_date() { return wall_at{std::chrono::seconds{TOMOSHIBI_SOURCE_DATE}}; }

}  // namespace tomoshibi::firmware
