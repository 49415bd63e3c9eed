#include "relay/shell/ticket_key_file.hpp"

#include "protocol/adapters/pki.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tomoshibi::relay {
namespace {

constexpr std::size_t file_bytes_max = 1024;   // three lines of less than 100

}  // namespace

result<ticket_keys> ticket_key_file::read() const {
  const int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0 && errno == ENOENT) return ticket_keys{};
  if (fd < 0) return fail(errc::storage_io, path_ + ": " + std::strerror(errno));
  struct stat about{};
  std::string text(file_bytes_max + 1, '\0');
  const bool known = ::fstat(fd, &about) == 0;
  const ::ssize_t size = ::read(fd, text.data(), text.size());
  const int why = errno;
  ::close(fd);
  if (!known || size < 0) return fail(errc::storage_io, path_ + ": " + std::strerror(why));
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0) return fail(errc::refused, path_ + ": others may read it");
  if (static_cast<std::size_t>(size) > file_bytes_max) return fail(errc::storage_corrupt, path_ + ": too long");
  text.resize(static_cast<std::size_t>(size));
  return ticket_keys::parse(text);
}

void ticket_key_file::load() {
  auto read_keys = read();
  if (!read_keys) log_.warning("keys_not_used", {{"err", name_of(read_keys.error().code)}, {"detail", read_keys.error().detail}});
  *keys_ = read_keys ? std::move(*read_keys) : ticket_keys{};
}

void ticket_key_file::keep_fresh(wall_at now) {
  if (!keys_->due(now)) return;
  const auto random = random_bytes(ticket_key::secret_bytes{}.size());
  if (!random) return log_.error("no_key", {{"detail", random.error().detail}});
  ticket_key::secret_bytes secret{};
  std::ranges::copy(*random, secret.begin());
  keys_->turn(now, secret);
  if (auto written = replace_secret_file(path_, keys_->text()); !written)
    return log_.error("keys_not_written", {{"err", name_of(written.error().code)}, {"detail", written.error().detail}});
  log_.info("key_turned", {{"keys", keys_->newest_first().size()}});
}

}  // namespace tomoshibi::relay
