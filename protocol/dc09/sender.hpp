// The sender's side of the line to a guard centre: takes events, gives back for each exactly one end, "delivered by receiver
// k" or "not delivered, because". Sans I/O: the owner connects, writes, reads the clocks.
//
// One connection at a time, to one of the receivers in order of preference, and one frame in flight on it. An event goes out
// with the sequence number that it came with, however often it is repeated. What comes back is judged by reply.hpp:
//
//   ACK that is believed   the event is delivered
//   NAK with a time        the receiver's offset is set (stamps only) and the same frame goes out again at once
//   NAK without            a failed try
//   DUH                    this receiver is given up for this event; all of them: refused
//   silence, anything else a failed try after answer_timeout; a late right answer still counts
//   tries_max failed tries, or no connection: the next receiver. After a round over all: link down, a pause, another round
//
// The first round is quick: a receiver that is silent, or gone, is left within 3 to 9 s. Each round without success makes the
// next one twice as patient, up to patience_max times, so that a line that is only slow is not dialled to death. What was idle
// for line_trusted before an unanswered frame may be half open: the repetition goes out on a new connection.
//
// It never gives up by itself: an event ends without delivery when its owner's `give_up_at` is reached or it is cancelled.
// An urgent event goes before all that are not, and does not wait for the full time of a frame that is out before it: that is
// a failed try soon, and goes out again later. A connection carries one unanswered event and no other after it, or the late
// answer of a receiver that miscounts could be taken for the next one's. While nothing else is to be sent, a NULL asks each
// null_interval whether the line lives; any answered frame counts for it. The first receiver is tried again prefer_first_after
// a fail-over, by something that is not urgent.
//
// States of the connection: none -> connecting -> open, idle -> open, frame in flight. Each has a number; what is told of an
// older one is ignored.
#pragma once

#include "protocol/base/result.hpp"
#include "protocol/dc09/content.hpp"
#include "protocol/dc09/reply.hpp"
#include "protocol/dc09/splitter.hpp"

#include <deque>
#include <functional>
#include <span>
#include <variant>

namespace tomoshibi::dc09 {

inline constexpr std::size_t receivers_max = 4;
inline constexpr unsigned doubts_max = 16;                    // answers to one frame that are none; one more costs the line and a try
inline constexpr std::size_t events_waiting_max = 4096;      // submit() refuses more: the owner keeps them and comes again

struct receiver_settings {
  token format = token::adm_cid;                             // adm_cid or sia_dcs; an event without a code goes as adm_cid
  std::optional<std::string> receiver = "0";                 // R
  std::string line = "0";                                    // L
  std::size_t padding_min = padding_bytes;
  bool extensions = true;                                    // H and I; receivers of the first editions know none
};

struct sender_settings {
  std::vector<receiver_settings> receivers = {};             // 1..receivers_max, the preferred one first
  millis connect_timeout{3'000};                             // name, TCP and TLS together
  millis answer_timeout{3'000};
  unsigned patience_max = 4;                                 // times both, after rounds without success; 1: never more
  millis line_trusted{20'000};                               // since it was last heard
  millis overtaken_after{500};                               // an unanswered frame, when an urgent event comes
  unsigned tries_max = 2;                                    // for one receiver in one round
  millis pause_min{1'000};                                   // after a round without success; doubles
  millis pause_max{30'000};
  millis pause_urgent_max{5'000};                            // while an urgent event waits
  millis prefer_first_after{300'000};
  millis null_interval{0};                                   // 0: no supervision
  std::string null_account = {};                             // whose NULL it is
  const cipher* null_key = nullptr;
  // Fills with random bytes, for padding. Only needed where there are keys.
  std::function<void(std::span<std::uint8_t>)> random = {};
};

struct outgoing {
  std::uint64_t id = 0;                                      // the owner's
  std::uint16_t sequence = 1;                                // durable and going round at the owner, 1..9999
  std::string account = {};                                  // 3..16 hexadecimal digits
  const cipher* key = nullptr;                               // null: plain. Outlives the event
  signal what = {};
  std::optional<wall_at> occurred = {};                      // H extension
  std::string reference = {};                                // I extension: the same on every path of one press
  bool urgent = false;                                       // before all that are not
  mono_time give_up_at = never;
};

enum class not_delivered : std::uint8_t { given_up = 1, refused, cannot_write };
std::string_view name_of(not_delivered why);

enum class link_state : std::uint8_t { unknown, up, down };

// What the owner has to do, in order.
struct sender_output {
  struct connect_to { std::size_t receiver; std::uint64_t connection; };
  struct write { std::uint64_t connection; std::string data; };          // one write for one frame
  struct close { std::uint64_t connection; };
  struct delivered { std::uint64_t id; std::size_t receiver; mono_time at; };
  struct failed { std::uint64_t id; not_delivered why; };
  struct link { link_state now; std::size_t receiver; };                 // only when it changes
  struct doubted { std::size_t receiver; reply what; };                  // an answer that was none, NAK and DUH, for the log
  using action = std::variant<connect_to, write, close, delivered, failed, link, doubted>;
  std::vector<action> actions;
};

class sender {
public:
  // The settings must hold: 1..receivers_max receivers.
  explicit sender(sender_settings settings);

  // refused: as many as are allowed wait. The id must not be one that waits.
  status submit(mono_time now, wall_at wall, outgoing event, sender_output& out);
  bool cancel(std::uint64_t id);                             // false: not here. No outcome follows

  void on_connected(mono_time now, wall_at wall, std::uint64_t connection, sender_output& out);
  void on_bytes(mono_time now, wall_at wall, std::uint64_t connection, byte_view data, sender_output& out);
  void on_closed(mono_time now, wall_at wall, std::uint64_t connection, sender_output& out);  // also: could not connect
  void on_wake(mono_time now, wall_at wall, sender_output& out);
  mono_time next_wake() const;

  std::size_t waiting() const { return events_.size(); }
  link_state link() const { return link_; }
  std::size_t receivers() const { return settings_.receivers.size(); }
  millis offset(std::size_t receiver) const { return offset_[receiver]; }

private:
  enum class line { none, connecting, open };
  struct waiting_event {
    outgoing what;
    unsigned refused_by = 0;                                 // bit k: receiver k said DUH or cannot be written to
  };
  struct in_flight {
    bool null = false;
    std::uint64_t id = 0;
    sent_frame sent;
    const cipher* key = nullptr;
  };

  void go_on(mono_time now, wall_at wall, sender_output& out);
  void expire(mono_time now, sender_output& out);
  void check_deadline(mono_time now, sender_output& out);
  bool null_due(mono_time now) const;
  void make_way(mono_time now);
  bool urgent_waits() const;
  bool ambiguous(const waiting_event* next) const;
  waiting_event* best_for(std::size_t receiver);
  waiting_event* find(std::uint64_t id);
  bool choose_receiver(mono_time now, sender_output& out);   // false: nothing is to be sent
  void use(std::size_t receiver, sender_output& out);
  void connect(mono_time now, sender_output& out);
  void send_event(mono_time now, wall_at wall, const outgoing& e, sender_output& out);
  void send_null(mono_time now, wall_at wall, sender_output& out);
  void put_out(mono_time now, const frame& f, in_flight what, sender_output& out);
  void on_frame(mono_time now, wall_at wall, const read_result<std::string_view>& found, sender_output& out);
  void on_reply(mono_time now, const reply& r, sender_output& out);
  void on_nak(mono_time now, const reply& r, sender_output& out);
  void answered(mono_time now, sender_output& out);
  void on_duh(sender_output& out);
  void failed_try(mono_time now, millis pause, sender_output& out);
  void give_up_receiver(mono_time now, sender_output& out);
  void drop_line(sender_output& out);
  void set_link(link_state now, sender_output& out);
  void erase(std::uint64_t id);

  sender_settings settings_;
  std::deque<waiting_event> events_;
  std::vector<millis> offset_;
  link_state link_ = link_state::unknown;

  std::size_t current_ = 0;                                  // receiver
  line line_ = line::none;
  std::uint64_t connection_ = 0;
  splitter splitter_;
  std::optional<in_flight> flight_;
  mono_time deadline_ = never;                               // of the connect or of the answer
  mono_time not_before_ = mono_time::min();                  // a pause, or a failed try that waits for its repetition
  unsigned tries_ = 0;                                       // failed ones, at the current receiver
  unsigned doubts_ = 0;                                      // answers to the frame in flight that were none
  unsigned corrections_ = 0;                                 // NAKs with a time, since the last success
  std::size_t visited_ = 0;                                  // receivers given up in this round
  millis pause_;
  unsigned patience_ = 1;                                    // times the time-outs
  mono_time heard_at_{};                                     // on this connection; its beginning counts
  mono_time written_at_{};                                   // the frame in flight
  std::optional<std::uint64_t> unanswered_;                  // on this connection: an event, or 0, a NULL
  mono_time null_at_ = mono_time::min();                     // the first at once: whether the line lives is to be known
  mono_time first_again_at_ = never;
  mono_time expires_ = never;                                // not later than the earliest give_up_at
  std::size_t link_receiver_ = 0;
};

}  // namespace tomoshibi::dc09
