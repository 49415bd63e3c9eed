#include "tools/sim.d/memory_disk.hpp"

#include "firmware/ports/memory_outbox_store.hpp"
#include "relay/ports/memory_store.hpp"
#include "tools/sim.d/memory_owner.hpp"

namespace tomoshibi::sim {
namespace {

using verdict = armed_faults::verdict;
constexpr std::uint32_t durable_per_mille = 200;  // of the commits that fail

// What all stores of one disk share. A store of a former life holds a former number and reaches nothing any more.
struct medium {
  explicit medium(std::uint64_t seed) : faults(seed) {}
  armed_faults faults;
  std::uint32_t life = 0;
  bool dead = false;

  status before_read(std::uint32_t of_life) {
    if (dead || of_life != life) return fail(errc::storage_io, "power is cut");
    if (faults.read_fails()) return fail(errc::storage_io, "drawn");
    return {};
  }
  template <class Apply>
  status commit(std::uint32_t of_life, Apply apply) {
    const memory_turn on_disk{memory_owner::nobody};  // not in the machine's memory
    if (dead || of_life != life) return fail(errc::storage_io, "power is cut");
    switch (faults.on_commit()) {
      case verdict::go_on: return apply();
      case verdict::fails: return fail(errc::storage_io, "drawn");
      case verdict::fails_late: (void)apply(); return fail(errc::storage_io, "drawn, and yet it is durable");
      case verdict::full: return fail(errc::storage_full, "drawn");
      case verdict::unheard: (void)apply(); [[fallthrough]];
      case verdict::lost: dead = true;
    }
    return fail(errc::storage_io, "power is cut");
  }
};

// ---- the gateway's

struct flash : medium {
  explicit flash(std::uint64_t seed) : medium(seed), chip(faults.random().next() | 1) {}
  firmware::memory_outbox chip;
  std::optional<record_seq> bad_row;
  bool damaged = false;
};

class flash_store final : public firmware::outbox_store {
public:
  explicit flash_store(flash& f) : flash_(f), life_(f.life), store_(f.chip) {}
  result<firmware::outbox_state> load() override {
    if (auto ok = flash_.before_read(life_); !ok) return std::unexpected(ok.error());
    return store_.load();
  }
  status commit(const firmware::outbox_batch& batch) override {
    return flash_.commit(life_, [&] { return store_.commit(batch); });
  }
  result<std::vector<firmware::stored_record>> read(record_seq from, std::size_t count_max) override {
    if (auto ok = flash_.before_read(life_); !ok) return std::unexpected(ok.error());
    auto out = store_.read(from, count_max);
    for (const auto& r : *out)
      if (r.seq == flash_.bad_row) {
        flash_.damaged = true;
        return fail(errc::storage_corrupt, "drawn");
      }
    return out;
  }

private:
  flash& flash_;
  std::uint32_t life_;
  firmware::memory_outbox_store store_;
};

class flash_disk final : public gateway_disk {
public:
  explicit flash_disk(std::uint64_t seed) : flash_(seed) {}
  void arm(const disk_fault& f) override {
    if (f.kind == disk_fault_kind::ruined) ruined_ = true;
    else if (f.kind == disk_fault_kind::corrupt) spoil_row();
    else flash_.faults.arm(f);
  }
  void power_cut() override { flash_.dead = true; }
  bool power_is_cut() const override { return flash_.dead; }
  void mend() override { flash_.faults.clear(); }
  bool damaged() const override { return flash_.damaged; }
  bool begun_anew() const override { return anew_; }
  std::unique_ptr<firmware::outbox_store> open() override {
    flash_.dead = false;
    ++flash_.life;
    // Like the real one: a start looks the file over, puts a bad one aside and begins a new one.
    anew_ = ruined_ || flash_.bad_row;
    if (anew_) flash_.chip.recreate(flash_.faults.random().next() | 1);
    ruined_ = flash_.damaged = false;
    flash_.bad_row.reset();
    return std::make_unique<flash_store>(flash_);
  }

private:
  void spoil_row() {
    const auto& rows = flash_.chip.records;
    if (!rows.empty()) flash_.bad_row = rows[flash_.faults.random().below(rows.size())].seq;
  }
  flash flash_;
  bool ruined_ = false;
  bool anew_ = false;
};

// ---- the relay's

struct platter : medium {
  explicit platter(std::uint64_t seed) : medium(seed) {}
  relay::memory_store store;
};

class platter_store final : public relay::store {
public:
  explicit platter_store(platter& p) : platter_(p), life_(p.life) {}
  template <class F>
  auto reading(F f) -> decltype(f(std::declval<relay::memory_store&>())) {
    if (auto ok = platter_.before_read(life_); !ok) return std::unexpected(ok.error());
    return f(platter_.store);
  }
  result<relay::directory> load_directory() override { return reading([](auto& s) { return s.load_directory(); }); }
  result<std::vector<relay::gateway_state>> load_gateways() override { return reading([](auto& s) { return s.load_gateways(); }); }
  result<std::vector<relay::device_state>> load_devices() override { return reading([](auto& s) { return s.load_devices(); }); }
  result<std::vector<relay::recount_mark>> load_recounts() override {
    return reading([](auto& s) { return s.load_recounts(); });
  }
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
  result<std::optional<wall_at>> load_alive() override { return reading([](auto& s) { return s.load_alive(); }); }
  result<relay::day_cells> read_day(home_id home, appliance_id appliance, relay::utc_day day) override {
    return reading([&](auto& s) { return s.read_day(home, appliance, day); });
  }
  result<std::optional<relay::utc_day>> newest_day(home_id home, appliance_id appliance) override {
    return reading([&](auto& s) { return s.newest_day(home, appliance); });
  }
  status commit(const relay::write_batch& batch) override {
    return platter_.commit(life_, [&] { return platter_.store.commit(batch); });
  }

private:
  platter& platter_;
  std::uint32_t life_;
};

class platter_disk final : public relay_disk {
public:
  platter_disk(const relay::directory& all, std::uint64_t seed) : platter_(seed) { platter_.store.edit_directory() = all; }
  // A row of the relay that went bad is a read that fails: what it held is not lost in this tier.
  void arm(const disk_fault& f) override {
    if (f.kind == disk_fault_kind::corrupt) platter_.faults.arm({.kind = disk_fault_kind::fail_reads, .nth = f.nth, .count = f.count});
    else if (f.kind != disk_fault_kind::ruined) platter_.faults.arm(f);
  }
  void power_cut() override { platter_.dead = true; }
  bool power_is_cut() const override { return platter_.dead; }
  void mend() override { platter_.faults.clear(); }
  result<std::unique_ptr<relay::store>> open() override {
    platter_.dead = false;
    ++platter_.life;
    return std::make_unique<platter_store>(platter_);
  }

private:
  platter platter_;
};

}  // namespace

void armed_faults::arm(const disk_fault& f) {
  (f.kind == disk_fault_kind::fail_reads ? reads_ : commits_) = window{f, 0};
}

verdict armed_faults::on_commit() {
  if (!commits_) return verdict::go_on;
  const disk_fault& f = commits_->what;
  const std::uint64_t call = ++commits_->calls;
  if (call < f.nth) return verdict::go_on;
  const disk_fault_kind kind = f.kind;
  if (call + 1 >= f.nth + f.count) commits_.reset();
  switch (kind) {
    case disk_fault_kind::fail: return random_.chance(durable_per_mille) ? verdict::fails_late : verdict::fails;
    case disk_fault_kind::full: return verdict::full;
    case disk_fault_kind::cut_before: return verdict::lost;
    case disk_fault_kind::cut_after: return verdict::unheard;
    case disk_fault_kind::torn: return random_.chance(500) ? verdict::lost : verdict::unheard;
    default: return verdict::go_on;
  }
}

bool armed_faults::read_fails() {
  if (!reads_) return false;
  const std::uint64_t call = ++reads_->calls;
  if (call < reads_->what.nth) return false;
  if (call + 1 >= reads_->what.nth + reads_->what.count) reads_.reset();
  return true;
}

std::unique_ptr<gateway_disk> memory_disks::gateway(std::uint32_t, std::uint64_t seed) {
  return std::make_unique<flash_disk>(seed);
}
std::unique_ptr<relay_disk> memory_disks::relay(const relay::directory& all, std::uint64_t seed) {
  return std::make_unique<platter_disk>(all, seed);
}

}  // namespace tomoshibi::sim
