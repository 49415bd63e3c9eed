// Named limits of the ECHONET driver. Each bounds what a host on the home network can make this program do or keep.
#pragma once

#include "protocol/base/time.hpp"

#include <cstddef>
#include <cstdint>

namespace tomoshibi::drivers::echonet {

inline constexpr std::uint16_t udp_port = 3610;
inline constexpr char multicast_group_v4[] = "224.0.23.0";

inline constexpr std::size_t datagram_max = 1500;        // bytes; a longer one is not looked at
inline constexpr std::size_t nodes_max = 64;             // hosts with ECHONET objects
inline constexpr millis nodes_full_told_every = 1h;
inline constexpr std::size_t objects_per_node_max = 84;  // what one instance list can name

// Requests to a node. Sources: what other controllers learned from their users (docs/DRIVERS.md, "Timing").
inline constexpr millis request_gap{150};              // between an answer and the next request to one address
inline constexpr millis answer_timeout_min{3'000};     // 1 s is too short for adapters on Wi-Fi
inline constexpr millis answer_timeout_max{20'000};    // what smart meters may need
inline constexpr std::uint8_t tries_max = 3;           // one request and two repetitions
inline constexpr std::size_t properties_start = 4;     // per request, until the node has shown what it can do
inline constexpr std::size_t properties_max = 8;
inline constexpr std::size_t job_properties_max = 12;
inline constexpr std::uint32_t growth_after_min = 32;  // full answers before a larger request is tried
inline constexpr std::uint32_t growth_after_max = 4'096;
inline constexpr millis late_answer_max{60'000};       // an older answer is not believed

// Polling.
inline constexpr std::uint8_t silent_jobs_to_probe = 3;     // then only a single small request per cycle
inline constexpr std::uint8_t missed_cycles_to_silent = 3;  // silent: so many cycles, and so long,
inline constexpr millis unheard_to_silent{300'000};         // whichever is later
inline constexpr std::uint32_t fault_poll_every = 10;       // cycles; 0x88 is announced as well
inline constexpr std::uint8_t refusals_to_rest = 3;         // a property refused so often is asked every 10th cycle
inline constexpr millis second_round_interval_min{30'000};  // shorter cycles have no second round
inline constexpr millis poll_interval_min{500};

// Discovery.
inline constexpr millis search_second{15'000};    // after start
inline constexpr millis search_third{60'000};     // after start
inline constexpr millis search_interval{600'000};
inline constexpr millis identify_retry_min{10'000};
inline constexpr millis identify_retry_max{600'000};
inline constexpr std::uint8_t identify_failures_max = 6;  // then a host that never said who it is is forgotten
inline constexpr std::uint8_t describe_tries_max = 3;     // then an object is read as its class demands
inline constexpr millis describe_retry{20'000};
inline constexpr millis restart_gap{5'000};               // announcements in between cause no new questions
inline constexpr std::size_t held_notices_max = 4;        // of a host that is still being identified
inline constexpr std::size_t shared_identities_max = 8;

// Our own node.
inline constexpr std::size_t own_properties_max = 32;  // of one request; the rest is not answered
inline constexpr std::uint32_t own_answers_burst = 50;
inline constexpr millis own_answer_refill{20};         // one more answer per this time
inline constexpr millis own_notice_gap{1'000};         // between multicasts that others can cause

}  // namespace tomoshibi::drivers::echonet
