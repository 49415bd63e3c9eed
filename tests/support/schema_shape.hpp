// What a database is made of, as text: two that are of one shape were made by one schema.
#pragma once

#include "protocol/adapters/sqlite_db.hpp"

#include <string>

namespace tomoshibi::testing {

// Every table, index and view with its text as SQLite keeps it, and the numbers in the file's head; white space and comments
// do not matter. Fails the test if it cannot be read.
std::string shape_of(sqlite_db& db);

}  // namespace tomoshibi::testing
