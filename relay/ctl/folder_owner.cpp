#include "relay/ctl/folder_owner.hpp"

#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

namespace tomoshibi::ctl {

status give_to_owner(const std::string& folder, const std::vector<std::string>& files) {
  struct stat owner{};
  if (::geteuid() != 0) return {};
  if (::stat(folder.c_str(), &owner) != 0) return fail(errc::storage_io, folder + ": " + std::strerror(errno));
  for (const auto& file : files)
    if (::lchown(file.c_str(), owner.st_uid, owner.st_gid) != 0 && errno != ENOENT)
      return fail(errc::storage_io, file + ": cannot be given to the folder's owner: " + std::strerror(errno));
  return {};
}

}  // namespace tomoshibi::ctl
