// A guard centre's alarm receiver, strict as the paper has it: CRC, length, form, accounts, keys, time, repetitions. Sans
// I/O. Whatever it accepts becomes exactly one entry of the operator's list, or one more repetition of one.
//
//   damaged or without form    silence: the sender repeats
//   late over 40 s, ahead over 20 s, of an encrypted frame; or encrypted with a time that is none
//                              NAK with our time
//   encrypted, cannot be read; plain where the account has a key; inside another account
//                              NAK with our time too: a substitute box learns nothing from it. Told as an intrusion
//   unknown account, unknown event, id that only answers carry
//                              DUH
//   the same again: account, event and reference; without a reference account, number and data within a window
//                              ACK, counted, no new entry
//
// An encrypted frame gets an encrypted ACK. Connections have numbers of the shell's.
#pragma once

#include "protocol/dc09/content.hpp"
#include "protocol/dc09/reply.hpp"
#include "protocol/dc09/splitter.hpp"
#include "tools/guard.d/core/misbehaviour.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <variant>

namespace tomoshibi::guard {

inline constexpr std::size_t connections_max = 1024;
inline constexpr std::size_t entries_max = 100'000;     // the oldest go
inline constexpr std::size_t accounts_max = 10'000;
inline constexpr millis window_default = 10min;         // repetitions of a number; references are remembered with their entry

struct account {
  std::string number;                                   // upper-case hexadecimal
  std::string name;                                     // for the operator's list only
  std::shared_ptr<const dc09::cipher> key;              // null: speaks plainly
};

// One line of the operator's list.
struct entry {
  std::uint64_t number = 0;                             // 1, 2, 3 ...
  std::string account;
  std::string code;
  dc09::event what{};
  dc09::edge how{};
  std::uint16_t partition = 0, zone = 0, sequence = 0;
  std::optional<wall_at> occurred;                      // H
  std::string reference;                                // I
  bool encrypted = false, test = false;
  wall_at first{}, last{};                              // received, by our clock
  mono_time first_mono{}, last_mono{};
  std::uint32_t repeats = 0;
  std::string data;
};

struct centre_output {
  struct send { std::uint64_t connection; std::string data; };
  struct reset { std::uint64_t connection; };
  struct booked { std::uint64_t entry; };
  struct repeated { std::uint64_t entry; };
  struct linked { std::string account; };               // a NULL
  struct lost { std::string account; };                 // silent for longer than it may be, once
  struct back { std::string account; };
  struct refused { std::uint64_t connection; std::string account; std::string_view why; };  // NAK, DUH, silence: why
  struct end {};                                        // as if killed, after everything before it
  using action = std::variant<send, reset, booked, repeated, linked, lost, back, refused, end>;
  std::vector<action> actions;
};

struct centre_settings {
  std::vector<account> accounts;
  millis late_max = dc09::late_max;
  millis ahead_max = dc09::ahead_max;
  bool judge_plain_time = false;                        // plain frames' time too, where they carry one
  millis window = window_default;
  millis supervise{0};                                  // an account that has called may be silent so long; 0: for ever
  std::function<void(std::span<std::uint8_t>)> random;  // padding of encrypted ACKs
};

class centre {
public:
  explicit centre(centre_settings settings);

  void restore(entry e, mono_time now);                 // what an earlier run has booked; before the first connection
  void on_open(std::uint64_t connection);
  void on_bytes(mono_time now, wall_at wall, std::uint64_t connection, byte_view data, centre_output& out);
  void on_closed(std::uint64_t connection);
  void on_wake(mono_time now, centre_output& out);      // delayed and slow answers, accounts that are silent
  mono_time next_wake() const;

  script& misbehaviour() { return script_; }
  const std::deque<entry>& entries() const { return entries_; }
  const entry* find(std::uint64_t number) const;

private:
  struct caller { mono_time last{}; bool lost = false; };
  struct later { std::uint64_t connection; std::string data; };

  void on_frame(mono_time now, wall_at wall, std::uint64_t connection, std::string_view whole, centre_output& out);
  void on_readable(mono_time now, wall_at wall, std::uint64_t connection, const dc09::frame& f, const account& who,
                   centre_output& out);
  bool in_time(const dc09::frame& f, wall_at wall) const;
  void book(mono_time now, wall_at wall, const dc09::frame& f, const dc09::content& said, centre_output& out);
  entry* known(mono_time now, const dc09::frame& f, const dc09::content& said, const std::string& reference);
  void heard(mono_time now, const std::string& number, centre_output& out);
  void look_for_lost(mono_time now, centre_output& out);
  const account* account_of(const std::string& number) const;
  void refuse(wall_at wall, std::uint64_t connection, const dc09::frame& head, std::string_view why, dc09::token with,
              centre_output& out);
  std::string answer_to(const dc09::frame& f, const account& who, dc09::token id, wall_at wall) const;
  void answer(mono_time now, wall_at wall, std::uint64_t connection, const dc09::frame& f, const account& who,
              const order& how, centre_output& out);

  centre_settings settings_;
  std::map<std::uint64_t, dc09::splitter> connections_;
  std::deque<entry> entries_;
  std::multimap<mono_time, later> later_;
  std::map<std::string, caller> callers_;               // those that have called
  mono_time look_at_ = never;                           // not later than the first of them is lost
  script script_;
  std::uint64_t last_entry_ = 0;
};

// What an operator reads: "personal emergency", "personal emergency: restored", "test".
std::string words_of(const entry& e);

}  // namespace tomoshibi::guard
