// A registered directory for tests of the SQLite store, in a folder of their own.
#pragma once

#include "relay/core/directory.hpp"
#include "relay/shell/sqlite_store.hpp"
#include "tests/support/temporary_folder.hpp"

#include <string>

namespace tomoshibi::relay::test {

// Registers the directory with the ids it has. Aborts on a failure: a test's premise.
void register_directory(const std::string& path, const directory& d, database_files& files = machine_files());

}  // namespace tomoshibi::relay::test
