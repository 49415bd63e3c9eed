// Whose memory it is. The simulator's programs have an operator new of their own: it writes before each block whose turn it
// was when it was asked for, and keeps the sum of what each owner has not given back. So what a home costs, and what a core
// that keeps too much costs more each day, is counted and not estimated (world_checks.cpp has the bounds).
//
// Counted are the bytes that were asked for by way of operator new; what the allocator adds is not, nor what C libraries
// take. What is asked for outside a turn is nobody's: the simulator's own. One thread only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tomoshibi::sim {

enum class memory_owner : std::uint32_t { nobody = 0, relay = 1, first_home = 2 };
inline constexpr std::uint32_t counted_homes_max = 20'000;
constexpr memory_owner memory_of_home(std::uint32_t h) {
  return memory_owner{static_cast<std::uint32_t>(memory_owner::first_home) + h % counted_homes_max};
}

std::size_t bytes_owned(memory_owner who);

// From construction to destruction what is asked for is `who`'s.
class memory_turn {
public:
  explicit memory_turn(memory_owner who);
  ~memory_turn();
  memory_turn(const memory_turn&) = delete;
  memory_turn& operator=(const memory_turn&) = delete;

private:
  memory_owner before_;
};

}  // namespace tomoshibi::sim
