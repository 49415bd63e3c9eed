#include "tools/sim.d/sqlite_disk.hpp"

#include "firmware/shell/sqlite_outbox_store.hpp"
#include "protocol/base/check.hpp"
#include "relay/shell/sqlite_store.hpp"
#include "relay/shell/store_directory.hpp"
#include "relay/shell/store_schema.hpp"
#include "tools/fault_disk/disk.hpp"
#include "tools/sim.d/memory_owner.hpp"

#include <algorithm>
#include <optional>

namespace tomoshibi::sim {
namespace {

using fault_disk::call;
using fault_disk::trouble;

constexpr std::uint64_t calls_of_a_commit = 8;  // a fault is drawn among so many; a commit with fewer calls may escape it
const std::string outbox_path = "/outbox.db";
const std::string relay_path = "/relay.db";

std::unexpected<error> dark() { return fail(errc::storage_io, "power is cut"); }

// A disk, what is armed, and the power.
class medium {
public:
  explicit medium(std::uint64_t seed) : disk_(seed), random_(seed ^ 0x5eed) {}
  fault_disk::disk& files() { return disk_; }
  prng& random() { return random_; }
  bool dark() const { return !disk_.powered(); }
  void power_off() { disk_.power_off(); }
  void power_on() {
    if (dark()) disk_.power_up(fault_disk::draw_tear(random_.next()));
  }
  void arm(const disk_fault& f) {
    (f.kind == disk_fault_kind::fail_reads ? reads_ : commits_) = {f, 0};
  }
  void mend() {
    reads_ = commits_ = {};
    disk_.faults.heal();
    disk_.capacity = UINT64_MAX;
  }

  template <class Commit>
  status commit(Commit really) {
    const memory_turn on_disk{memory_owner::nobody};  // not in the machine's memory
    const auto meets = met(commits_);
    if (!meets) return really();
    switch (*meets) {
      case disk_fault_kind::fail:
        disk_.faults.arm({.nth = 1 + random_.below(calls_of_a_commit), .times = 1 + random_.below(3), .how = trouble::io});
        break;
      case disk_fault_kind::full: disk_.capacity = random_.below(8'192); break;  // nothing may grow
      case disk_fault_kind::cut_before: disk_.power_off(); break;
      case disk_fault_kind::torn: disk_.power_off_before(1 + random_.below(calls_of_a_commit)); break;
      default: break;
    }
    auto done = really();
    disk_.faults.heal();
    disk_.capacity = UINT64_MAX;
    if (*meets == disk_fault_kind::cut_after || *meets == disk_fault_kind::torn) {
      disk_.power_off();
      return sim::dark();
    }
    return done;
  }
  status before_read() {
    if (met(reads_)) return fail(errc::storage_io, "drawn");
    return {};
  }

private:
  struct window {
    disk_fault what;
    std::uint64_t calls = 0;
  };
  static std::optional<disk_fault_kind> met(std::optional<window>& w) {
    if (!w || ++w->calls < w->what.nth) return std::nullopt;
    const auto kind = w->what.kind;
    if (w->calls + 1 >= w->what.nth + w->what.count) w.reset();
    return kind;
  }
  fault_disk::disk disk_;
  prng random_;
  std::optional<window> commits_;  // at most one of each; a later one replaces it
  std::optional<window> reads_;
};

// ---- the gateway's

class outbox_file final : public firmware::outbox_store {
public:
  outbox_file(medium& m, bool& anew)
      : medium_(m), anew_(anew),
        store_({.path = outbox_path, .new_epoch = [&m] { return outbox_epoch{m.random().next() | 1}; }, .files = &m.files()}) {}
  result<firmware::outbox_state> load() override {
    if (auto ok = medium_.before_read(); !ok) return std::unexpected(ok.error());
    auto state = told(store_.load());
    if (state && (state->recreated || store_.mended() != 0)) anew_ = true;  // a mended log has lost records too
    return state;
  }
  status commit(const firmware::outbox_batch& batch) override {
    return told(medium_.commit([&] { return store_.commit(batch); }));
  }
  result<std::vector<firmware::stored_record>> read(record_seq from, std::size_t count_max) override {
    if (auto ok = medium_.before_read(); !ok) return std::unexpected(ok.error());
    return told(store_.read(from, count_max));
  }

private:
  // The daemon ends when damage is met; its next start looks the file over.
  template <class T>
  T told(T done) {
    if (store_.found_damage()) medium_.power_off();
    return done;
  }
  medium& medium_;
  bool& anew_;
  firmware::sqlite_outbox_store store_;
};

class outbox_disk final : public gateway_disk {
public:
  explicit outbox_disk(std::uint64_t seed) : medium_(seed) {}
  void arm(const disk_fault& f) override {
    if (f.kind == disk_fault_kind::corrupt) bad_bytes_ = 1;
    else if (f.kind == disk_fault_kind::ruined) bad_bytes_ = 8'000;
    else medium_.arm(f);
  }
  void power_cut() override { medium_.power_off(); }
  bool power_is_cut() const override { return medium_.dark(); }
  void mend() override { medium_.mend(); }
  bool damaged() const override { return false; }  // its store takes the power away itself
  bool begun_anew() const override { return anew_; }
  std::unique_ptr<firmware::outbox_store> open() override {
    medium_.power_on();
    spoil();
    anew_ = false;
    return std::make_unique<outbox_file>(medium_, anew_);
  }

private:
  void spoil() {
    const bytes* file = medium_.files().content(outbox_path);
    const auto count = std::exchange(bad_bytes_, 0u);
    if (count == 0 || file == nullptr || file->empty()) return;
    bytes noise(std::min(count, file->size()));
    for (auto& b : noise) b = static_cast<std::uint8_t>(medium_.random().next());
    // A ruined file is bad from its first byte; a single bad byte is anywhere behind the header.
    const std::size_t at = count > 1 ? 0 : 100 + medium_.random().below(file->size() - 100);
    if (count > 1) medium_.files().damage(outbox_path, 0, noise);
    else medium_.files().damage(outbox_path, std::min(at, file->size() - 1), noise);
  }
  medium medium_;
  std::size_t bad_bytes_ = 0;
  bool anew_ = false;
};

// ---- the relay's

class database final : public relay::store {
public:
  database(medium& m, std::unique_ptr<relay::sqlite_store> s) : medium_(m), store_(std::move(s)) {}
  result<relay::directory> load_directory() override { return reading([](auto& s) { return s.load_directory(); }); }
  result<std::vector<relay::gateway_state>> load_gateways() override { return reading([](auto& s) { return s.load_gateways(); }); }
  result<std::vector<relay::device_state>> load_devices() override { return reading([](auto& s) { return s.load_devices(); }); }
  result<std::vector<relay::episode>> load_open_episodes() override {
    return reading([](auto& s) { return s.load_open_episodes(); });
  }
  result<std::vector<relay::mail>> load_queued_mails() override { return reading([](auto& s) { return s.load_queued_mails(); }); }
  result<std::optional<relay::episode>> find_episode(const relay::episode_key& key) override {
    return reading([&](auto& s) { return s.find_episode(key); });
  }
  result<std::vector<contact_id>> told(const relay::episode_key& key) override {
    return reading([&](auto& s) { return s.told(key); });
  }
  result<std::vector<relay::recount_mark>> load_recounts() override {
    return reading([](auto& s) { return s.load_recounts(); });
  }
  result<std::optional<wall_at>> load_alive() override { return reading([](auto& s) { return s.load_alive(); }); }
  result<relay::day_cells> read_day(home_id home, appliance_id appliance, relay::utc_day day) override {
    return reading([&](auto& s) { return s.read_day(home, appliance, day); });
  }
  result<std::optional<relay::utc_day>> newest_day(home_id home, appliance_id appliance) override {
    return reading([&](auto& s) { return s.newest_day(home, appliance); });
  }
  status commit(const relay::write_batch& batch) override {
    return medium_.commit([&] { return store_->commit(batch); });
  }

private:
  template <class F>
  auto reading(F f) -> decltype(f(std::declval<relay::sqlite_store&>())) {
    if (auto ok = medium_.before_read(); !ok) return std::unexpected(ok.error());
    return f(*store_);
  }
  medium& medium_;
  std::unique_ptr<relay::sqlite_store> store_;
};

// Homes of the simulator count from 0, those of the product from 1: their numbers are put right.
status register_all(fault_disk::disk& on, const relay::directory& all) {
  auto db = relay::open_store_db(relay_path, {.create = true, .files = &on});
  if (!db) return std::unexpected(db.error());
  auto change = transaction::begin(*db);
  if (!change) return std::unexpected(change.error());
  for (const auto& [id, h] : all.homes) {
    const auto& config = all.configs.at(id);
    const auto given = relay::add_home(*db, h, {config.poll_interval_s, config.gap_limit_s}, h.watch_since);
    if (!given) return std::unexpected(given.error());
    const auto number = [](home_id n) { return std::to_string(static_cast<std::uint32_t>(n)); };
    if (auto ok = db->exec("UPDATE home SET id = " + number(id) + " WHERE id = " + number(*given)); !ok) return ok;
  }
  for (const auto& [id, g] : all.gateways)
    if (auto ok = relay::add_gateway(*db, g, {}); !ok) return ok;
  for (const auto& [id, a] : all.appliances)
    if (auto given = relay::add_appliance(*db, a); given != id.second) return fail(errc::refused, "appliance number");
  for (const auto& [id, c] : all.contacts)
    if (auto given = relay::add_contact(*db, c); given != id) return fail(errc::refused, "contact number");
  return change->commit();
}

class database_disk final : public relay_disk {
public:
  database_disk(const relay::directory& all, std::uint64_t seed) : medium_(seed) {
    TOMO_REQUIRE(register_all(medium_.files(), all).has_value());
  }
  // A database of the relay that is damaged ends in a restored backup, which no simulated operator does here: what was bad
  // is a read that fails.
  void arm(const disk_fault& f) override {
    if (f.kind == disk_fault_kind::corrupt) medium_.arm({.kind = disk_fault_kind::fail_reads, .nth = f.nth, .count = f.count});
    else if (f.kind != disk_fault_kind::ruined) medium_.arm(f);
  }
  void power_cut() override { medium_.power_off(); }
  bool power_is_cut() const override { return medium_.dark(); }
  void mend() override { medium_.mend(); }
  result<std::unique_ptr<relay::store>> open() override {
    medium_.power_on();
    auto opened = relay::sqlite_store::open(relay_path, medium_.files());
    if (!opened) return std::unexpected(opened.error());
    return std::make_unique<database>(medium_, std::move(*opened));
  }

private:
  medium medium_;
};

}  // namespace

std::unique_ptr<gateway_disk> sqlite_disks::gateway(std::uint32_t, std::uint64_t seed) {
  return std::make_unique<outbox_disk>(seed);
}
std::unique_ptr<relay_disk> sqlite_disks::relay(const relay::directory& all, std::uint64_t seed) {
  return std::make_unique<database_disk>(all, seed);
}

}  // namespace tomoshibi::sim
