// What the simulated guard centre does wrong, on command: an order is a line of words,
//
//   after=3 answer=silence count=2
//
// "after three more answers in order, be silent twice". Orders are worked off one after the other.
#pragma once

#include "protocol/base/result.hpp"
#include "protocol/base/time.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <optional>
#include <string_view>

namespace tomoshibi::guard {

inline constexpr std::size_t orders_max = 1000;

enum class answer : std::uint8_t {
  proper = 1,       // what a centre should say
  nak,              // NAK with the centre's time, though nothing is wrong; not booked
  duh,              // not booked
  silence,          // booked, nothing said
  delay,            // proper, after delay=MS
  duplicate,        // the ACK twice
  wrong_sequence,   // the ACK with the next number
  wrong_account,
  bad_crc,
  stale,            // an ACK stamped an hour ago
  reset,            // half of the ACK, then the connection is reset
  slow,             // the ACK byte by byte, delay=MS between two (default 50)
  unframed,         // "NAK" CR LF and nothing else
  deaf,             // as if the frame had never come: not booked, nothing said
  die,              // booked and in the journal, nothing said, and the program ends as if killed
};
std::string_view name_of(answer a);

struct order {
  std::uint32_t after = 0;              // frames answered in order before it begins
  answer with = answer::proper;
  std::uint32_t count = 1;              // 0: until the orders are cleared
  millis delay{0};                      // 0: 1,000 ms (delay), 50 ms (slow)
  friend bool operator==(const order&, const order&) = default;
};

// Errors: config_invalid, with the word and what is allowed.
result<order> parse_order(std::string_view line);

class script {
public:
  status add(const order& o);           // refused: orders_max
  void clear() { orders_.clear(); }
  order next();                         // for the frame that has just come; counts it
  bool empty() const { return orders_.empty(); }

private:
  std::deque<order> orders_;
};

}  // namespace tomoshibi::guard
