// How much memory a home may cost (memory_owner.hpp counts it), for what a core is known to hold at the moment. A core that
// forgets to forget goes over it within days of a run, whatever it keeps.
//
// Measured (docs/SIMULATOR.md): a gateway of four appliances at rest 9 KB, 44 KB at most just after a long stretch without
// a calendar, because buffers stay as long as they once were; the relay's core 3.8 KB for each home at rest, 350 bytes for
// a write that waits, 1.5 KB for a mail that waits. The bounds leave half as much again, and room for what few homes share.
#pragma once

#include "firmware/core/gateway.hpp"
#include "firmware/core/journal.hpp"
#include "relay/core/health.hpp"

#include <cstddef>

namespace tomoshibi::sim {

inline constexpr std::size_t gateway_bytes_max = 64 * 1024;
inline constexpr std::size_t held_record_bytes_max = 16;      // its size, in a deque; the record itself is on the disk
inline constexpr std::size_t pending_record_bytes_max = 512;
inline constexpr std::size_t relay_bytes_max = 64 * 1024;     // whatever the homes
inline constexpr std::size_t relay_home_bytes_max = 6 * 1024;
inline constexpr std::size_t relay_write_bytes_max = 512;
inline constexpr std::size_t relay_mail_bytes_max = 2 * 1024;

inline std::size_t gateway_bytes_allowed(const firmware::gateway_statistics& s) {
  // Without a calendar readings wait in memory, each in the journal and once more while it is taken out.
  const std::size_t journal = s.clock_known ? 0 : 2 * firmware::journal_entries_max * sizeof(firmware::journal_entry);
  return gateway_bytes_max + s.records_held * held_record_bytes_max + s.records_pending * pending_record_bytes_max + journal;
}

inline std::size_t relay_bytes_allowed(const relay::health& now, std::size_t homes) {
  return relay_bytes_max + homes * relay_home_bytes_max + now.writes_pending * relay_write_bytes_max +
         (now.mails_queued + now.mails_in_flight) * relay_mail_bytes_max;
}

}  // namespace tomoshibi::sim
