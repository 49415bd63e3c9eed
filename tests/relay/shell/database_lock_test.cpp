// Goal: one holder at a time, told by name; the lock goes with its holder and comes back after it.
#include "relay/shell/database_lock.hpp"
#include "tests/support/temporary_folder.hpp"

#include <catch2/catch_test_macros.hpp>

#include <optional>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tomoshibi::relay {

TEST_CASE("the second one is refused and told where") {
  const testing::temporary_folder folder;
  const std::string database = folder.file("relay.db");
  std::optional<result<database_lock>> first{database_lock::take(database)};
  REQUIRE(first->has_value());
  const auto second = database_lock::take(database);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == errc::already_exists);
  CHECK(second.error().detail.find(folder.path()) != std::string::npos);
  CHECK(database_lock::take(folder.file("other.db")));
  first.reset();
  CHECK(database_lock::take(database));
}

TEST_CASE("a holder that is killed holds nothing") {
  const testing::temporary_folder folder;
  const std::string database = folder.file("relay.db");
  int held[2];
  REQUIRE(::pipe(held) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto lock = database_lock::take(database);
    if (lock && ::write(held[1], "x", 1) == 1) ::pause();
    _exit(1);
  }
  ::close(held[1]);
  char c = 0;
  REQUIRE(::read(held[0], &c, 1) == 1);
  ::close(held[0]);
  CHECK_FALSE(database_lock::take(database));
  ::kill(child, SIGKILL);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK(database_lock::take(database));
}

TEST_CASE("a folder that cannot be written is an error with its path") {
  const auto none = database_lock::take("/proc/none/relay.db");
  REQUIRE_FALSE(none);
  CHECK(none.error().code == errc::storage_io);
  CHECK(none.error().detail.find("/proc/none") != std::string::npos);
}

}  // namespace tomoshibi::relay
