// The disk in SQLite's words: https://www.sqlite.org/vfs.html, https://www.sqlite.org/c3ref/io_methods.html
#pragma once

#include <memory>

struct sqlite3_vfs;

namespace tomoshibi::fault_disk {

class disk;

struct unregister_vfs { void operator()(sqlite3_vfs* vfs) const; };
using registered_vfs = std::unique_ptr<sqlite3_vfs, unregister_vfs>;

// Registered with SQLite under `name`, never as the default. `name` outlives it.
registered_vfs make_vfs(disk& on, const char* name);

}  // namespace tomoshibi::fault_disk
