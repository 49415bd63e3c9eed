// A disk in memory that fails as disks do, for tests and the simulator: under SQLite by a VFS of its own (sqlite_vfs.cpp),
// under our stores as database_files.
//
// Power: power_off() ends every call with an error; power_up() decides sector by sector what of the unsynced writes is there.
// Directory entries (made, removed, renamed) become durable in order, all of them with the next sync of any file, which is
// what the journals of ext4 and XFS do; a power cut keeps a beginning of those that were not.
// Handles opened before a power cut fail for ever; closing them changes nothing.
// Faults: the n-th call fails, the disk is full or read-only, bytes are damaged.
// One thread. Everything follows from the seeds: the same calls give the same files. Outlives what is opened on it.
#pragma once

#include "protocol/adapters/database_files.hpp"
#include "tools/fault_disk/faults.hpp"
#include "tools/fault_disk/sharing.hpp"
#include "tools/fault_disk/sqlite_vfs.hpp"
#include "tools/fault_disk/stored_file.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tomoshibi::fault_disk {

struct node {  // one file, by whatever name
  stored_file content;
  file_lock lock;
  shared_memory shm;
};

// How a call ended, for the VFS to put in SQLite's words.
enum class outcome : std::uint8_t { ok, io, full, short_read, read_only, not_found };

class disk final : public database_files {
public:
  explicit disk(std::uint64_t seed = 1);
  disk(const disk&) = delete;
  disk& operator=(const disk&) = delete;

  // ---- database_files
  const char* vfs() const override { return name_.c_str(); }
  bool exists(const std::string& path) override;
  status make_private(const std::string& path) override;
  status rename(const std::string& from, const std::string& to) override;
  status remove(const std::string& path) override;

  // ---- faults
  fault_plan faults;
  std::uint64_t capacity = UINT64_MAX;  // bytes of all files together
  bool read_only = false;
  std::uint64_t calls() const { return calls_; }
  std::uint64_t changes() const { return changes_; }  // calls that change the medium
  std::uint64_t syncs() const { return syncs_; }
  std::uint64_t written() const { return written_; }  // bytes, ever

  // ---- power
  void power_off() { powered_ = false; }
  void power_off_before(std::uint64_t nth_change) { off_before_ = changes_ + nth_change; }  // 1: the next one
  void power_up(const tear& how);
  bool powered() const { return powered_; }

  // ---- content, as programs see it; nothing for a file that is not there
  const bytes* content(const std::string& path) const;
  void damage(const std::string& path, std::size_t at, byte_view data);  // the file grows if needed
  std::vector<std::string> paths() const;

  // ---- for the VFS
  outcome enter(call what);
  outcome open(const std::string& path, bool create, std::shared_ptr<node>& found);
  outcome unlink(const std::string& path);
  outcome write(node& n, std::size_t at, byte_view data);
  outcome truncate(node& n, std::size_t size);
  outcome sync(node& n);
  std::shared_ptr<node> find(const std::string& path) const;
  std::uint64_t life() const { return life_; }  // counted up by each power cut
  prng& random() { return random_; }

private:
  using names = std::map<std::string, std::shared_ptr<node>>;
  struct entry_change {  // `file` appears at `path`, or what is there goes
    std::string path;
    std::shared_ptr<node> file;
    std::string gone;  // the same moment: a rename's former name
  };
  static void apply(names& to, const entry_change& c);
  void change_entry(entry_change c);
  std::uint64_t used() const;

  std::string name_;
  registered_vfs vfs_;
  prng random_;
  names seen_;
  names durable_;
  std::vector<entry_change> unsynced_;
  bool powered_ = true;
  std::uint64_t life_ = 1;
  std::uint64_t calls_ = 0, changes_ = 0, syncs_ = 0, written_ = 0;
  std::uint64_t off_before_ = UINT64_MAX;
};

}  // namespace tomoshibi::fault_disk
