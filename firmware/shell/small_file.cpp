#include "firmware/shell/small_file.hpp"

#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

namespace tomoshibi::firmware {
namespace {

bool write_with(const std::string& path, std::string_view text, int flags) {
  const int file = ::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC | O_NONBLOCK | flags, 0600);
  if (file < 0) return false;
  const bool written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  return (::close(file) == 0) && written;
}

}  // namespace

bool write_existing(const std::string& path, std::string_view text) { return write_with(path, text, 0); }

bool write_anew(const std::string& path, std::string_view text) {
  const std::string part = path + ".part";
  if (write_with(part, text, O_CREAT) && std::rename(part.c_str(), path.c_str()) == 0) return true;
  (void)::unlink(part.c_str());
  return false;
}

}  // namespace tomoshibi::firmware
