// Where database files lie: what our stores do with them beside SQLite's own reading and writing. The machine's file system
// for every daemon; tests and the simulator put a disk of their own here (tools/fault_disk), on which SQLite and these calls
// see the same files.
#pragma once

#include "protocol/base/result.hpp"

#include <string>

namespace tomoshibi {

class database_files {
public:
  virtual ~database_files() = default;
  virtual const char* vfs() const = 0;                         // SQLite's name of it; nullptr: SQLite's default
  virtual bool exists(const std::string& path) = 0;
  virtual status make_private(const std::string& path) = 0;    // makes it if it is missing, for its owner only
  virtual status rename(const std::string& from, const std::string& to) = 0;  // replaces `to`; not_found without `from`
  virtual status remove(const std::string& path) = 0;          // a file that is not there is no error
};

database_files& machine_files();

}  // namespace tomoshibi
