// tomoshibi-ctl is often run as root, the relay never: what root makes in the relay's folder belongs to the folder's owner.
#pragma once

#include "protocol/base/result.hpp"

#include <string>
#include <vector>

namespace tomoshibi::ctl {

// Does nothing unless run as root. Links themselves are given, not what they refer to; files that are not there are left out.
status give_to_owner(const std::string& folder, const std::vector<std::string>& files);

}  // namespace tomoshibi::ctl
