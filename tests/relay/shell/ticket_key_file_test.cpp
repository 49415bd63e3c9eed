// Goal: the keys of session tickets outlive the relay, are nobody else's, and a broken file costs full handshakes only.
#include "relay/shell/ticket_key_file.hpp"

#include "tests/support/temporary_folder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

using namespace tomoshibi;
using namespace tomoshibi::relay;
using namespace tomoshibi::testing;

namespace {

constexpr wall_at start = wall_from_ms(1'893'456'000'000);   // 2030-01-01

struct fixture {
  temporary_folder folder;
  std::string path = folder.path() + "/ticket-keys";

  std::vector<ticket_key> keys_after_restart(wall_at now) const {
    ticket_key_file file{path, null_log()};
    file.load();
    file.keep_fresh(now);
    return file.keys()->newest_first();
  }
};

}  // namespace

TEST_CASE("keys are made at the first start, kept over restarts, turned by the day") {
  fixture f;
  const auto first = f.keys_after_restart(start);
  REQUIRE(first.size() == 1);
  struct stat about{};
  REQUIRE(::stat(f.path.c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
  CHECK(f.keys_after_restart(start + 23h) == first);
  const auto second = f.keys_after_restart(start + 24h);
  REQUIRE(second.size() == 2);
  CHECK(second[1] == first[0]);
  CHECK(second[0].secret != first[0].secret);
  CHECK(f.keys_after_restart(start + 25h) == second);
}

TEST_CASE("a turn is seen by those who were given the keys before") {
  fixture f;
  ticket_key_file file{f.path, null_log()};
  file.load();
  const auto held = file.keys();
  CHECK(held->newest_first().empty());
  file.keep_fresh(start);
  CHECK(held->newest_first().size() == 1);
}

TEST_CASE("a file that others may read, that is broken, or that is no file makes new keys") {
  fixture f;
  const auto before = f.keys_after_restart(start);
  SECTION("group may read") { ::chmod(f.path.c_str(), 0640); }
  SECTION("everybody may write") { ::chmod(f.path.c_str(), 0602); }
  SECTION("broken") { std::ofstream{f.path} << "not a key\n"; }
  SECTION("too long") { std::ofstream{f.path} << std::string(2000, '1'); }
  SECTION("a link to another file") {
    std::filesystem::rename(f.path, f.path + "-elsewhere");
    std::filesystem::create_symlink(f.path + "-elsewhere", f.path);
  }
  const auto after = f.keys_after_restart(start + 1h);
  REQUIRE(after.size() == 1);
  CHECK(after[0].secret != before[0].secret);
  CHECK(f.keys_after_restart(start + 2h) == after);
}

TEST_CASE("a folder that takes no file leaves keys in memory") {
  ticket_key_file file{"/nonexistent/ticket-keys", null_log()};
  file.load();
  file.keep_fresh(start);
  CHECK(file.keys()->newest_first().size() == 1);
}
