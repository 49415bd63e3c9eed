#include "protocol/adapters/put_aside.hpp"

namespace tomoshibi {

status put_aside(database_files& files, const std::string& path) {
  const std::string aside = path + ".corrupt";
  // The log belongs to the file: it is kept beside it, for whoever wants to look.
  (void)files.rename(path + "-wal", aside + "-wal");
  (void)files.remove(path + "-shm");
  return files.rename(path, aside);
}

void drop_aside(database_files& files, const std::string& path) {
  (void)files.remove(path + ".corrupt-wal");
  (void)files.remove(path + ".corrupt");
}

}  // namespace tomoshibi
