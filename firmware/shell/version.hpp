#pragma once

#include "protocol/base/time.hpp"

#include <string_view>

namespace tomoshibi::firmware {

std::string_view version();   // <= 32 bytes, told in hello
wall_at build_date();         // of the source (its last commit), not of the compiler run, so that builds are repeatable

}  // namespace tomoshibi::firmware
