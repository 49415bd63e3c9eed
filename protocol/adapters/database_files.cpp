#include "protocol/adapters/database_files.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace tomoshibi {
namespace {

std::unexpected<error> failed(const std::string& doing) {
  const int e = errno;
  return fail(e == ENOENT ? errc::not_found : e == ENOSPC ? errc::storage_full : errc::storage_io,
              "cannot " + doing + ": " + std::strerror(e));
}

class machine final : public database_files {
public:
  const char* vfs() const override { return nullptr; }
  bool exists(const std::string& path) override { return ::access(path.c_str(), F_OK) == 0; }
  status make_private(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) return failed("make or write " + path);
    ::close(fd);
    return {};
  }
  status rename(const std::string& from, const std::string& to) override {
    if (std::rename(from.c_str(), to.c_str()) == 0) return {};
    return failed("rename " + from);
  }
  status remove(const std::string& path) override {
    if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
    return failed("remove " + path);
  }
};

}  // namespace

database_files& machine_files() {
  static machine files;
  return files;
}

}  // namespace tomoshibi
