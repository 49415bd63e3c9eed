// The emergency book as a file: what backup, restore, check, erase and export do with it. A relay without it has nothing to do.
#pragma once

#include "relay/ctl/verb.hpp"
#include "relay/core/directory.hpp"

#include <optional>

namespace tomoshibi::ctl {

// Read only, beside a relay that may run. Nothing: there is no such file.
result<std::optional<sqlite_db>> open_emergency_file(const context& c);

// Whether the book holds anything of a home.
result<bool> in_emergency_book(const context& c, home_id home);

// Deletes it without a trace. The relay must not run: it keeps what is open in memory and would write it again, and a press
// must not wait while the file is written anew.
status erase_from_emergency_book(const context& c, home_id home);

}  // namespace tomoshibi::ctl
