#include "tests/support/storage_trials.hpp"

#include <catch2/catch_test_macros.hpp>

namespace tomoshibi::testing {
namespace {

using fault_disk::disk;

constexpr int starts_max = 12;  // a fault of so many calls in a row is over by then

// One run of the series on one disk.
class run {
public:
  run(const storage_trial& t, disk& on) : trial_(t), disk_(on) {}

  std::size_t committed() const { return committed_; }
  bool finished() const { return committed_ + 1 == trial_.pictures.size(); }

  // Commits until the end of the series. False: something failed.
  bool go_on() {
    while (!finished()) {
      if (!program_ && !start()) return false;
      if (!program_->commit(committed_)) return false;
      ++committed_;
      if (committed_ % trial_.restart_every == 0) stop();
    }
    return true;
  }
  bool start() {
    auto fresh = trial_.make(disk_);
    const auto begun = fresh->start();
    if (!begun) {
      fresh->end();
      return false;
    }
    program_ = std::move(fresh);
    return true;
  }
  void stop() {
    if (program_) program_->end();
    program_.reset();
  }
  bool running() const { return program_ != nullptr; }
  result<std::string> picture() { return program_->picture(); }
  // What is there after a cut: the batch that was out may have reached the medium.
  void found(const std::string& picture) {
    if (!finished() && picture == trial_.pictures[committed_ + 1] && picture != trial_.pictures[committed_]) ++committed_;
    REQUIRE(picture == trial_.pictures[committed_]);
  }

private:
  const storage_trial& trial_;
  disk& disk_;
  std::unique_ptr<storage_subject> program_;
  std::size_t committed_ = 0;
};

void last_look(run& r, disk& on) {
  r.stop();
  on.faults.heal();
  REQUIRE(r.start());
  const auto picture = r.picture();
  REQUIRE(picture);
  r.found(*picture);
  REQUIRE(r.finished());
  r.stop();
}

void bring_back(run& r, disk& on, const fault_disk::tear& how, std::uint64_t second_cut) {
  on.power_off();
  r.stop();
  on.power_up(how);
  if (second_cut != 0) {
    on.power_off_before(second_cut);
    if (r.start()) r.stop();
    on.power_off();
    on.power_up(how);
  }
  REQUIRE(r.start());
  const auto picture = r.picture();
  REQUIRE(picture);
  r.found(*picture);
}

}  // namespace

std::uint64_t fail_at_every_call(const storage_trial& trial, fault_disk::trouble how, std::uint64_t times) {
  for (std::uint64_t n = 1;; ++n) {
    CAPTURE(n, times, static_cast<int>(how));
    disk on(n);
    run r(trial, on);
    on.faults.arm({.nth = n, .times = times, .how = how});
    int failures = 0;
    while (!r.go_on()) {
      REQUIRE(++failures <= starts_max);
      if (!r.running()) continue;
      // Reading may meet the rest of the fault; what it does give must be the picture before.
      if (const auto picture = r.picture()) REQUIRE(*picture == trial.pictures[r.committed()]);
    }
    const bool untouched = on.faults.hit() == 0;
    last_look(r, on);
    if (untouched) return n - 1;
  }
}

std::uint64_t cut_at_every_change(const storage_trial& trial, std::uint64_t tears) {
  for (std::uint64_t n = 1;; n += trial.cut_every) {
    bool untouched = false;
    for (std::uint64_t tear = 0; tear < tears; ++tear) {
      const std::uint64_t seed = n * 1000 + tear;
      CAPTURE(n, seed);
      disk on(seed);
      run r(trial, on);
      on.power_off_before(n);
      untouched = r.go_on() && on.powered();
      bring_back(r, on, fault_disk::draw_tear(seed), tear % 2 == 0 ? 0 : 1 + seed % 7);
      REQUIRE(r.go_on());
      last_look(r, on);
    }
    if (untouched) return n - 1;
  }
}

}  // namespace tomoshibi::testing
