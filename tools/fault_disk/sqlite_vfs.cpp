#include "tools/fault_disk/sqlite_vfs.hpp"

#include "tools/fault_disk/disk.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <utility>

namespace tomoshibi::fault_disk {
namespace {

constexpr int path_max = 512;
constexpr int sector_told = 4096;  // what SQLite's unix VFS tells, so that SQLite writes as it does in a daemon
constexpr sqlite3_int64 julian_ms = 212'000'000'000'000;  // no clock: a moment that never moves

struct handle : sqlite3_file {
  disk* on;
  std::shared_ptr<node> file;
  std::string path;
  std::uint64_t life;
  bool delete_on_close;
  std::vector<shared_memory::region_ptr> mapped = {};  // SQLite reads them until it unmaps, power cut or not
};

handle& of(sqlite3_file* f) { return *static_cast<handle*>(f); }
disk& of(sqlite3_vfs* v) { return *static_cast<disk*>(v->pAppData); }

int code(outcome o, int io_code) {
  switch (o) {
    case outcome::ok: return SQLITE_OK;
    case outcome::full: return SQLITE_FULL;
    case outcome::short_read: return SQLITE_IOERR_SHORT_READ;
    case outcome::read_only: return SQLITE_READONLY;
    case outcome::not_found:
    case outcome::io: break;
  }
  return io_code;
}

bool stale(const handle& h) { return h.life != h.on->life(); }

// ---- a file

int close_file(sqlite3_file* f) {
  handle& h = of(f);
  if (!stale(h)) {
    h.file->lock.unlock(&h, file_lock::none);
    h.file->shm.forget(&h);
    if (h.delete_on_close) (void)h.on->unlink(h.path);
  }
  h.~handle();
  return SQLITE_OK;
}

int read_file(sqlite3_file* f, void* into, int count, sqlite3_int64 at) {
  handle& h = of(f);
  const auto entered = stale(h) ? outcome::io : h.on->enter(call::read);
  if (entered != outcome::ok && entered != outcome::short_read) return code(entered, SQLITE_IOERR_READ);
  const bytes& seen = h.file->content.seen();
  const auto wanted = static_cast<std::size_t>(count);
  const auto from = std::min(static_cast<std::size_t>(at), seen.size());
  auto there = std::min(wanted, seen.size() - from);
  if (entered == outcome::short_read) there /= 2;
  std::memset(into, 0, wanted);
  if (there != 0) std::memcpy(into, seen.data() + from, there);
  return there == wanted ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* f, const void* data, int count, sqlite3_int64 at) {
  handle& h = of(f);
  if (stale(h)) return SQLITE_IOERR_WRITE;
  const byte_view view{static_cast<const std::uint8_t*>(data), static_cast<std::size_t>(count)};
  return code(h.on->write(*h.file, static_cast<std::size_t>(at), view), SQLITE_IOERR_WRITE);
}

int truncate_file(sqlite3_file* f, sqlite3_int64 size) {
  handle& h = of(f);
  if (stale(h)) return SQLITE_IOERR_TRUNCATE;
  return code(h.on->truncate(*h.file, static_cast<std::size_t>(size)), SQLITE_IOERR_TRUNCATE);
}

int sync_file(sqlite3_file* f, int) {
  handle& h = of(f);
  if (stale(h)) return SQLITE_IOERR_FSYNC;
  return code(h.on->sync(*h.file), SQLITE_IOERR_FSYNC);
}

int file_size(sqlite3_file* f, sqlite3_int64* size) {
  handle& h = of(f);
  if (stale(h)) return SQLITE_IOERR_FSTAT;
  *size = static_cast<sqlite3_int64>(h.file->content.seen().size());
  return code(h.on->enter(call::size), SQLITE_IOERR_FSTAT);
}

int lock_file(sqlite3_file* f, int level) {
  handle& h = of(f);
  if (stale(h) || h.on->enter(call::lock) != outcome::ok) return SQLITE_IOERR_LOCK;
  return h.file->lock.lock(&h, level) ? SQLITE_OK : SQLITE_BUSY;
}

int unlock_file(sqlite3_file* f, int level) {
  handle& h = of(f);
  if (stale(h)) return SQLITE_OK;
  const auto done = h.on->enter(call::unlock);
  h.file->lock.unlock(&h, level);  // a lock that stays after a failed unlock is gone with its process anyway
  return code(done, SQLITE_IOERR_UNLOCK);
}

int check_reserved(sqlite3_file* f, int* found) {
  handle& h = of(f);
  if (stale(h) || h.on->enter(call::lock) != outcome::ok) return SQLITE_IOERR_CHECKRESERVEDLOCK;
  *found = h.file->lock.reserved_by_any() ? 1 : 0;
  return SQLITE_OK;
}

int control(sqlite3_file* f, int what, void* value) {
  handle& h = of(f);
  if (what != SQLITE_FCNTL_HAS_MOVED) return SQLITE_NOTFOUND;
  *static_cast<int*>(value) = !stale(h) && h.on->find(h.path) == h.file ? 0 : 1;
  return SQLITE_OK;
}

int sector_size(sqlite3_file*) { return sector_told; }
int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

// ---- its shared memory

int shm_map(sqlite3_file* f, int region, int size, int extend, void volatile** at) {
  handle& h = of(f);
  *at = nullptr;
  if (stale(h) || h.on->enter(call::shm_map) != outcome::ok) return SQLITE_IOERR_SHMMAP;
  auto shared = h.file->shm.map(static_cast<std::size_t>(region), static_cast<std::size_t>(size), extend != 0);
  *at = shared.get();
  if (shared) h.mapped.push_back(std::move(shared));
  return SQLITE_OK;
}

int shm_lock(sqlite3_file* f, int first, int count, int flags) {
  handle& h = of(f);
  if (stale(h)) return (flags & SQLITE_SHM_UNLOCK) != 0 ? SQLITE_OK : SQLITE_IOERR_SHMLOCK;
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    h.file->shm.unlock(&h, first, count);
    return SQLITE_OK;
  }
  if (h.on->enter(call::shm_lock) != outcome::ok) return SQLITE_IOERR_SHMLOCK;
  return h.file->shm.lock(&h, first, count, (flags & SQLITE_SHM_EXCLUSIVE) != 0) ? SQLITE_OK : SQLITE_BUSY;
}

void shm_barrier(sqlite3_file*) { std::atomic_thread_fence(std::memory_order_seq_cst); }

int shm_unmap(sqlite3_file* f, int remove) {
  handle& h = of(f);
  h.mapped.clear();
  if (stale(h)) return SQLITE_OK;
  h.file->shm.forget(&h);
  if (remove != 0) h.file->shm = {};
  return SQLITE_OK;
}

constexpr sqlite3_io_methods methods = {
    .iVersion = 2, .xClose = close_file, .xRead = read_file, .xWrite = write_file, .xTruncate = truncate_file,
    .xSync = sync_file, .xFileSize = file_size, .xLock = lock_file, .xUnlock = unlock_file,
    .xCheckReservedLock = check_reserved, .xFileControl = control, .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics, .xShmMap = shm_map, .xShmLock = shm_lock, .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap, .xFetch = nullptr, .xUnfetch = nullptr};

// ---- the disk

int open_file(sqlite3_vfs* v, sqlite3_filename name, sqlite3_file* f, int flags, int* flags_out) {
  f->pMethods = nullptr;  // then SQLite does not close it
  disk& on = of(v);
  std::string path = name != nullptr ? name : "temporary-" + std::to_string(on.random().next());
  std::shared_ptr<node> found;
  const auto done = on.open(path, (flags & SQLITE_OPEN_CREATE) != 0, found);
  if (done != outcome::ok) return done == outcome::io ? SQLITE_IOERR : SQLITE_CANTOPEN;
  if (on.read_only) flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
  if (flags_out != nullptr) *flags_out = flags;
  handle* h = new (f) handle{{&methods}, &on, std::move(found), std::move(path), on.life(),
                             (flags & SQLITE_OPEN_DELETEONCLOSE) != 0};
  return h->pMethods == &methods ? SQLITE_OK : SQLITE_CANTOPEN;
}

int delete_file(sqlite3_vfs* v, const char* path, int) {
  const auto done = of(v).unlink(path);
  return done == outcome::not_found ? SQLITE_IOERR_DELETE_NOENT : code(done, SQLITE_IOERR_DELETE);
}

int access_file(sqlite3_vfs* v, const char* path, int how, int* found) {
  disk& on = of(v);
  if (on.enter(call::access) != outcome::ok) return SQLITE_IOERR_ACCESS;
  const auto there = on.find(path);
  // As SQLite's unix VFS: an empty file counts as missing; it asks this of journals and logs.
  *found = there && (how != SQLITE_ACCESS_EXISTS || !there->content.seen().empty()) &&
           (how != SQLITE_ACCESS_READWRITE || !on.read_only);
  return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* path, int size, char* out) {
  return std::strlen(path) < static_cast<std::size_t>(size) ? (std::strcpy(out, path), SQLITE_OK) : SQLITE_CANTOPEN;
}

int randomness(sqlite3_vfs* v, int count, char* out) {
  for (int i = 0; i < count; ++i) out[i] = static_cast<char>(of(v).random().next());
  return count;
}

int sleep_us(sqlite3_vfs*, int us) { return us; }  // one thread: nobody would let go of a lock meanwhile
int current_time(sqlite3_vfs*, double* days) { return *days = static_cast<double>(julian_ms) / 86'400'000.0, SQLITE_OK; }
int current_time_ms(sqlite3_vfs*, sqlite3_int64* ms) { return *ms = julian_ms, SQLITE_OK; }
int last_error(sqlite3_vfs*, int, char*) { return 0; }

}  // namespace

registered_vfs make_vfs(disk& on, const char* name) {
  registered_vfs vfs{new sqlite3_vfs{}};
  vfs->iVersion = 2;
  vfs->szOsFile = sizeof(handle);
  vfs->mxPathname = path_max;
  vfs->zName = name;
  vfs->pAppData = &on;
  vfs->xOpen = open_file;
  vfs->xDelete = delete_file;
  vfs->xAccess = access_file;
  vfs->xFullPathname = full_path;
  vfs->xRandomness = randomness;
  vfs->xSleep = sleep_us;
  vfs->xCurrentTime = current_time;
  vfs->xGetLastError = last_error;
  vfs->xCurrentTimeInt64 = current_time_ms;
  sqlite3_vfs_register(vfs.get(), 0);
  return vfs;
}

void unregister_vfs::operator()(sqlite3_vfs* vfs) const {
  sqlite3_vfs_unregister(vfs);
  delete vfs;
}

}  // namespace tomoshibi::fault_disk
