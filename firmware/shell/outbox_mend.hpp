// What SQLite cannot find in an outbox: bytes that changed within a value. Looked for at every opening.
//
// A record the relay cannot read would be sent and refused for ever, and one bad byte is no reason to lose a month of slots:
// a damaged record becomes a RECORDS_DROPPED event of one, in its place; a damaged checkpoint or configuration becomes an
// empty one, which the core refuses and tells. What cannot be mended, records that are missing, is storage_corrupt.
#pragma once

#include "protocol/adapters/sqlite_db.hpp"

namespace tomoshibi::firmware {

// A value and, in the column behind it, its CRC-32. No sum: written by version 1 of the schema.
bool sum_holds(const statement& row, int value);
result<std::size_t> mend_outbox(sqlite_db& db);  // how many values were replaced

}  // namespace tomoshibi::firmware
