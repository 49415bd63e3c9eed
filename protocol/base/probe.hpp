// Probes: marks on rare branches, counted, so that a set of simulated runs can show that it has met each of them. A run of
// tools/sim over its default seeds fails if a listed probe was never hit.
//
// Compiled in always: what is shipped is what was simulated, and a probe costs one increment in a branch that is hardly
// ever taken. Nothing in the product reads the counters. A new probe is a line in `probe_names` and a hit() in its branch.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tomoshibi {

enum class probe : std::uint8_t {
  // gateway
  outbox_commit_was_there,    // a failed commit turns out to be durable
  outbox_recreated,
  catch_up_rewrote,           // slots of a wrong future are taken back
  catch_up_waits,             // the relay may have them: the open slot waits
  catch_up_waited_enough,     // longer than a day: made again in any case
  journal_played,             // readings from before the time was known
  clock_assumed,              // no better source came
  clock_stepped_back,
  uplink_relay_silent,        // a half-open line is found
  meter_rebased,
  meter_other_waits,          // a second meter for an appliance, the first was heard lately
  // driver
  answer_late,                // an answer to a request that was given up
  node_probed_in_vain,        // a dead node costs one datagram a cycle
  poll_told_in_parts,         // some of the answer is told while the rest is still asked for
  // relay
  session_replaced,
  records_known,              // sent again, skipped
  epoch_new,
  slot_future,                // dropped
  slot_late,                  // judged again from the store
  commit_failed,
  episode_unreadable,         // told before or not? The store could not say
  blind_waits_for_grace,
  all_clear_waits,            // behind its opening
  mail_waits_for_morning,
  mail_retried,
};
inline constexpr std::array probe_names{
    std::string_view{"outbox_commit_was_there"}, std::string_view{"outbox_recreated"}, std::string_view{"catch_up_rewrote"},
    std::string_view{"catch_up_waits"}, std::string_view{"catch_up_waited_enough"}, std::string_view{"journal_played"},
    std::string_view{"clock_assumed"}, std::string_view{"clock_stepped_back"}, std::string_view{"uplink_relay_silent"},
    std::string_view{"meter_rebased"}, std::string_view{"meter_other_waits"}, std::string_view{"answer_late"},
    std::string_view{"node_probed_in_vain"}, std::string_view{"poll_told_in_parts"},
    std::string_view{"session_replaced"}, std::string_view{"records_known"},
    std::string_view{"epoch_new"}, std::string_view{"slot_future"}, std::string_view{"slot_late"},
    std::string_view{"commit_failed"}, std::string_view{"episode_unreadable"},
    std::string_view{"blind_waits_for_grace"}, std::string_view{"all_clear_waits"},
    std::string_view{"mail_waits_for_morning"}, std::string_view{"mail_retried"}};
inline constexpr std::size_t probe_count = static_cast<std::size_t>(probe::mail_retried) + 1;
static_assert(probe_names.size() == probe_count);

inline constinit std::array<std::atomic<std::uint32_t>, probe_count> probe_hits{};

// Two threads may lose a hit to each other; that one was met is all that matters.
inline void hit(probe p) {
  auto& count = probe_hits[static_cast<std::size_t>(p)];
  count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace tomoshibi
