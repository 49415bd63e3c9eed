#include "tools/fault_disk/disk.hpp"

#include <atomic>

namespace tomoshibi::fault_disk {
namespace {

std::atomic<unsigned> disks_made{0};  // SQLite knows each disk by a name of its own

}  // namespace

const char* name_of(call what) {
  constexpr const char* names[] = {"open", "read", "write", "sync", "truncate", "size", "remove", "rename", "access", "lock",
                                   "unlock", "shm_map", "shm_lock"};
  return names[static_cast<std::size_t>(what)];
}

disk::disk(std::uint64_t seed)
    : name_("fault_disk_" + std::to_string(++disks_made)), vfs_(make_vfs(*this, name_.c_str())), random_(seed) {}

outcome disk::enter(call what) {
  ++calls_;
  if (changes_medium(what) && ++changes_ >= off_before_) {
    powered_ = false;
    off_before_ = UINT64_MAX;
  }
  if (!powered_) return outcome::io;
  const auto met = faults.meets(what);
  if (!met) return outcome::ok;
  if (*met == trouble::full && what == call::write) return outcome::full;
  if (*met == trouble::short_read && what == call::read) return outcome::short_read;
  return outcome::io;
}

// ---- names

void disk::apply(names& to, const entry_change& c) {
  if (!c.gone.empty()) to.erase(c.gone);
  if (c.file) to[c.path] = c.file;
}

void disk::change_entry(entry_change c) {
  apply(seen_, c);
  unsynced_.push_back(std::move(c));
}

std::shared_ptr<node> disk::find(const std::string& path) const {
  const auto found = seen_.find(path);
  return found == seen_.end() ? nullptr : found->second;
}

outcome disk::open(const std::string& path, bool create, std::shared_ptr<node>& found) {
  if (const auto done = enter(call::open); done != outcome::ok) return done;
  found = find(path);
  if (found) return outcome::ok;
  if (!create) return outcome::not_found;
  if (read_only) return outcome::read_only;
  found = std::make_shared<node>();
  change_entry({path, found, {}});
  return outcome::ok;
}

outcome disk::unlink(const std::string& path) {
  if (const auto done = enter(call::remove); done != outcome::ok) return done;
  if (!find(path)) return outcome::not_found;
  if (read_only) return outcome::read_only;
  change_entry({{}, nullptr, path});
  return outcome::ok;
}

bool disk::exists(const std::string& path) { return enter(call::access) == outcome::ok && find(path) != nullptr; }

status disk::make_private(const std::string& path) {
  std::shared_ptr<node> made;
  const auto done = open(path, true, made);
  if (done == outcome::ok && !read_only) return {};
  return fail(errc::storage_io, "cannot make or write " + path);
}

status disk::rename(const std::string& from, const std::string& to) {
  if (enter(call::rename) != outcome::ok || read_only) return fail(errc::storage_io, "cannot rename " + from);
  auto file = find(from);
  if (!file) return fail(errc::not_found, "cannot rename " + from);
  change_entry({to, std::move(file), from});
  return {};
}

status disk::remove(const std::string& path) {
  const auto done = unlink(path);
  if (done == outcome::ok || done == outcome::not_found) return {};
  return fail(errc::storage_io, "cannot remove " + path);
}

// ---- bytes

std::uint64_t disk::used() const {
  std::uint64_t sum = 0;
  for (const auto& [path, n] : seen_) sum += n->content.seen().size();
  return sum;
}

outcome disk::write(node& n, std::size_t at, byte_view data) {
  if (const auto done = enter(call::write); done != outcome::ok) return done;
  if (read_only) return outcome::read_only;
  const std::size_t before = n.content.seen().size();
  const std::size_t end = at + data.size();
  if (capacity != UINT64_MAX && end > before) {
    const std::uint64_t others = used() - before;
    if (others + end > capacity) {  // what fits is written
      const std::size_t last = capacity > others ? static_cast<std::size_t>(capacity - others) : 0;
      if (last > at) n.content.write(at, data.first(std::min(last - at, data.size())));
      return outcome::full;
    }
  }
  n.content.write(at, data);
  written_ += data.size();
  return outcome::ok;
}

outcome disk::truncate(node& n, std::size_t size) {
  if (const auto done = enter(call::truncate); done != outcome::ok) return done;
  if (read_only) return outcome::read_only;
  n.content.truncate(size);
  return outcome::ok;
}

outcome disk::sync(node& n) {
  const auto done = enter(call::sync);
  if (done != outcome::ok) {
    if (powered_) n.content.forget_unsynced();
    return done;
  }
  ++syncs_;
  n.content.sync();
  for (const auto& c : unsynced_) apply(durable_, c);
  unsynced_.clear();
  return outcome::ok;
}

// ---- power and content

void disk::power_up(const tear& how) {
  prng chance{how.seed};
  // In order: as long as each is kept. A share of all entries would be a directory that no file system leaves behind.
  for (const auto& c : unsynced_) {
    if (!chance.chance(how.keep_per_mille)) break;
    apply(durable_, c);
  }
  unsynced_.clear();
  seen_ = durable_;
  for (auto& [path, n] : seen_) {
    n->content.power_cut(how, chance);
    n->lock = {};
    n->shm = {};
  }
  faults.heal();
  off_before_ = UINT64_MAX;
  powered_ = true;
  ++life_;
}

const bytes* disk::content(const std::string& path) const {
  const auto n = find(path);
  return n ? &n->content.seen() : nullptr;
}

void disk::damage(const std::string& path, std::size_t at, byte_view data) {
  auto n = find(path);
  if (!n) {
    n = std::make_shared<node>();
    seen_[path] = durable_[path] = n;
  }
  n->content.damage(at, data);
}

std::vector<std::string> disk::paths() const {
  std::vector<std::string> all;
  for (const auto& [path, n] : seen_) all.push_back(path);
  return all;
}

}  // namespace tomoshibi::fault_disk
