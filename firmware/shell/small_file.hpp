// A few bytes into a file, in one write. False: it could not be done.
#pragma once

#include <string>
#include <string_view>

namespace tomoshibi::firmware {

bool write_existing(const std::string& path, std::string_view text);  // a file of the kernel: it is never made
bool write_anew(const std::string& path, std::string_view text);      // readers see the former or the new text, never a part

}  // namespace tomoshibi::firmware
