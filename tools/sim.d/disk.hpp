// What the simulated machines keep over a power cut, behind a seam: in memory by default (memory_disk.*, the fast tier),
// a real file on a disk that forgets and lies in the deep tier.
//
// Life of a disk: opened, the machine works on the store, power_cut() *while that store still exists*, the store is
// destroyed, opened again. What power_cut() must do: nothing that was not committed is there afterwards, and every later
// call on the old store fails and changes nothing, its destructor included. A machine that ends for another reason
// (the world calls nothing) just destroys its store.
//
// Faults are armed and happen at a later call. A fault that takes the power away (cut_before, cut_after, torn) makes that
// commit fail and power_is_cut() true; the world looks after each turn and takes the machine down.
// Everything a disk draws comes from the seed it was made with, so that a run can be repeated.
#pragma once

#include "firmware/ports/outbox_store.hpp"
#include "relay/ports/store.hpp"

#include <cstdint>
#include <memory>

namespace tomoshibi::sim {

enum class disk_fault_kind : std::uint8_t {
  fail,        // commits nth .. nth+count-1 from now fail with storage_io; now and then it is durable all the same
  full,        // ... with storage_full, and change nothing
  fail_reads,  // reads (and loads) nth .. nth+count-1 from now fail with storage_io
  cut_before,  // the power goes at the nth commit from now, nothing of it durable
  cut_after,   // the power goes when it is durable, but before anybody hears of it
  torn,        // the power goes in the middle of writing it: all of it or nothing is there afterwards (the disk draws)
  corrupt,     // one stored row goes bad: to be found when it is read
  ruined,      // the whole file goes bad: found at the next opening at the latest; the outbox is then made anew
};
struct disk_fault {
  disk_fault_kind kind{};
  std::uint64_t nth = 1;
  std::uint64_t count = 1;
};

class disk {
public:
  virtual ~disk() = default;
  virtual void arm(const disk_fault& f) = 0;
  virtual void power_cut() = 0;
  virtual bool power_is_cut() const = 0;  // by a fault; false again after the next open()
  virtual void mend() = 0;                // faults that were armed and have not happened are forgotten: quiet begins
};

class gateway_disk : public disk {
public:
  virtual bool damaged() const = 0;      // the store met a damage it cannot go on with: the program ends and starts anew
  virtual bool begun_anew() const = 0;   // since the last open(): the former log was unusable, a new one was begun
  virtual std::unique_ptr<firmware::outbox_store> open() = 0;
};

class relay_disk : public disk {
public:
  // An error is what the daemon would end with; the world tries again later, like the service manager.
  virtual result<std::unique_ptr<relay::store>> open() = 0;
};

class disk_factory {
public:
  virtual ~disk_factory() = default;
  virtual std::unique_ptr<gateway_disk> gateway(std::uint32_t home, std::uint64_t seed) = 0;
  virtual std::unique_ptr<relay_disk> relay(const relay::directory& all, std::uint64_t seed) = 0;
};

}  // namespace tomoshibi::sim
