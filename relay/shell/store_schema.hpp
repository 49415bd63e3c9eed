// The tables of the relay's database and how an older file becomes a newer one.
//
// PRAGMA user_version counts the steps done; a released step is never changed, a new one is added behind it. A file of a
// newer program is refused (storage_version), a file of another product too (application_id).
#pragma once

#include "protocol/adapters/sqlite_db.hpp"

namespace tomoshibi::relay {

inline constexpr std::int32_t store_application_id = 0x546d7369;  // "Tmsi"
const sqlite_schema& store_schema();

// Opens DIR's database for one thread: WAL, synchronous FULL, deleted content overwritten with zeros (what a family asks us
// to erase must not stay in free pages). `create` also makes the file and brings an older schema up to date; without it a
// missing file is not_found, an older one storage_version.
struct store_open_options {
  bool create = false;
  millis busy_timeout{15'000};  // longer than an erasure of one home or a checkpoint takes
  database_files* files = nullptr;  // nullptr: machine_files()
};
result<sqlite_db> open_store_db(const std::string& path, const store_open_options& options);

}  // namespace tomoshibi::relay
