// When a store's file is given up for a new one, and where it goes.
#pragma once

#include "protocol/adapters/database_files.hpp"

namespace tomoshibi {

// A page that could not be read at so many openings is as good as lost: better a new file than none for ever.
inline constexpr int unreadable_max = 4;

// Damaged, or another program's: no later opening would do better.
inline bool unusable(errc code) { return code == errc::storage_corrupt || code == errc::refused; }

// Renames the file and its log to <path>.corrupt; the former ones of that name go.
status put_aside(database_files& files, const std::string& path);
// Removes what was put aside: the disk has no room for a new file beside it.
void drop_aside(database_files& files, const std::string& path);

}  // namespace tomoshibi
