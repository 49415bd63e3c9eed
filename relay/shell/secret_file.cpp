#include "relay/shell/secret_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tomoshibi::relay {
namespace {

constexpr std::string_view blanks = " \t\r\n";

class open_file {
public:
  explicit open_file(int fd) : fd_(fd) {}
  ~open_file() {
    if (fd_ > STDIN_FILENO) ::close(fd_);
  }
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
  int fd() const { return fd_; }

private:
  int fd_;
};

status not_for_everybody(int fd, const std::string& where) {
  struct stat found {};
  if (::fstat(fd, &found) != 0) return fail(errc::storage_io, where + std::strerror(errno));
  if (!S_ISREG(found.st_mode) || (found.st_mode & (S_IWGRP | S_IRWXO)) == 0) return {};
  return fail(errc::config_invalid, where + "others than its owner can read or change this file; first: chmod 600");
}

result<std::string> read_all(int fd, const std::string& where) {
  std::string text;
  char buffer[512];
  for (;;) {
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(errc::storage_io, where + std::strerror(errno));
    if (n == 0) return text;
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > secret_bytes_max) return fail(errc::too_long, where + "more than " + std::to_string(secret_bytes_max) + " bytes");
  }
}

}  // namespace

result<std::string> read_secret(const std::string& option, const std::string& path) {
  const bool from_input = path == "-";
  const std::string where = option + ": " + (from_input ? "standard input" : path) + ": ";
  const open_file file(from_input ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd() < 0) return fail(errno == ENOENT ? errc::not_found : errc::storage_io, where + std::strerror(errno));
  if (auto ok = not_for_everybody(file.fd(), where); !ok) return std::unexpected(ok.error());
  auto text = read_all(file.fd(), where);
  if (!text) return text;
  const auto first = text->find_first_not_of(blanks);
  if (first == std::string::npos) return fail(errc::config_invalid, where + "nothing in it");
  const auto line = text->substr(first, text->find_last_not_of(blanks) - first + 1);
  if (line.find('\n') != std::string::npos) return fail(errc::config_invalid, where + "more than one line");
  return line;
}

}  // namespace tomoshibi::relay
