// Goal: kill -9 at any moment: what commit() acknowledged is there, and no half of a batch is.
//
// A child process commits batches of five slots for three appliances and writes one byte to a pipe after each; the parent
// kills it somewhere in between, opens the file and counts.
#include "protocol/base/check.hpp"
#include "protocol/base/prng.hpp"
#include "tests/relay/shell/sqlite_store_support.hpp"

#include <catch2/catch_test_macros.hpp>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tomoshibi::relay::test {
namespace {

constexpr int rounds = 12;
constexpr std::int32_t slots_a_batch = 5;
constexpr int batches_max = 400;  // the child ends by itself if the parent is gone
constexpr slot_index base{1'900'032};

write_batch batch_number(std::int32_t n) {
  write_batch batch;
  for (std::int32_t i = 0; i < slots_a_batch; ++i) {
    slots_write w{home_id{1}, {}};
    w.slot.slot = base + (n * slots_a_batch + i);
    for (std::uint16_t a = 1; a <= 3; ++a)
      w.slot.appliances.push_back({appliance_id{a}, slot_state::on, 60, 3, false, 15, 15});
    batch.emplace_back(std::move(w));
  }
  batch.emplace_back(progress_write{*gateway_id::parse("box-1"), outbox_epoch{1}, static_cast<record_seq>(n) + 1});
  return batch;
}

[[noreturn]] void child(const std::string& path, std::int32_t first, int acks) {
  auto s = sqlite_store::open(path);
  if (!s) _exit(3);
  for (std::int32_t n = first; n < first + batches_max; ++n) {
    if (!(*s)->commit(batch_number(n)).has_value()) _exit(4);
    if (::write(acks, "x", 1) != 1) _exit(5);
  }
  _exit(0);
}

std::int32_t slots_stored(sqlite_store& s, appliance_id a) {
  std::int32_t n = 0;
  const auto newest = s.newest_day(home_id{1}, a);
  REQUIRE(newest.has_value());
  if (!*newest) return 0;
  for (auto day = static_cast<std::int32_t>(day_of(base)); day <= static_cast<std::int32_t>(**newest); ++day) {
    const auto cells = s.read_day(home_id{1}, a, utc_day{day});
    REQUIRE(cells.has_value());
    for (const auto& c : *cells) n += c.present ? 1 : 0;
  }
  return n;
}

}  // namespace

TEST_CASE("kill -9 loses no acknowledged batch and tears none") {
  testing::temporary_folder folder;
  const std::string path = folder.file("relay.db");
  REQUIRE(sqlite_store::open(path).has_value());
  directory d;
  d.homes[home_id{1}].id = home_id{1};
  d.homes[home_id{1}].name = "home";
  d.gateways[*gateway_id::parse("box-1")] = {*gateway_id::parse("box-1"), home_id{1}, false, ""};
  register_directory(path, d);

  prng r(20260101);
  std::int32_t stored = 0;
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round, stored);
    int acks[2];
    REQUIRE(::pipe(acks) == 0);
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) child(path, stored, acks[1]);
    ::close(acks[1]);
    const auto wanted = static_cast<std::int32_t>(1 + r.below(12));
    std::int32_t told = 0;
    for (char c = 0; told < wanted && ::read(acks[0], &c, 1) == 1;) ++told;
    std::uint64_t work = 0;  // some of the next batch's time passes
    for (std::uint64_t n = r.below(1'000'000); n > 0; --n) work ^= r.next();
    CAPTURE(work);
    ::kill(pid, SIGKILL);
    for (char c = 0; ::read(acks[0], &c, 1) == 1;) ++told;
    ::close(acks[0]);
    int ended = 0;
    REQUIRE(::waitpid(pid, &ended, 0) == pid);
    REQUIRE(told >= wanted);

    auto s = sqlite_store::open(path);
    REQUIRE(s.has_value());
    const std::int32_t slots = slots_stored(**s, appliance_id{1});
    REQUIRE(slots % slots_a_batch == 0);
    const std::int32_t batches = slots / slots_a_batch;
    REQUIRE(batches >= stored + told);
    REQUIRE(batches <= stored + told + 1);  // committed, and killed before it could say so
    REQUIRE(slots_stored(**s, appliance_id{3}) == slots);
    const auto gateways = (*s)->load_gateways();
    REQUIRE(gateways.has_value());
    REQUIRE((*gateways)[0].acked == static_cast<record_seq>(batches));
    stored = batches;
  }
}

}  // namespace tomoshibi::relay::test
