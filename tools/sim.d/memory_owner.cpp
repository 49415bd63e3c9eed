#include "tools/sim.d/memory_owner.hpp"

#include <array>
#include <cstdlib>
#include <new>

namespace tomoshibi::sim {
namespace {

constexpr std::size_t owners = static_cast<std::size_t>(memory_owner::first_home) + counted_homes_max;

// What stands before each block; as long as the strictest usual alignment, so that the block keeps it.
struct alignas(std::max_align_t) label {
  std::size_t size;
  memory_owner owner;
};

constinit memory_owner turn = memory_owner::nobody;
constinit std::array<std::size_t, owners> owned{};

}  // namespace

std::size_t bytes_owned(memory_owner who) { return owned[static_cast<std::size_t>(who)]; }

memory_turn::memory_turn(memory_owner who) : before_(turn) { turn = who; }
memory_turn::~memory_turn() { turn = before_; }

namespace {

void* take(std::size_t size) {
  void* raw = std::malloc(sizeof(label) + size);
  if (raw == nullptr) std::abort();  // a simulation that is out of memory has nothing to tell
  auto* of = new (raw) label{size, turn};
  owned[static_cast<std::size_t>(turn)] += size;
  return of + 1;
}

void give_back(void* block) {
  if (block == nullptr) return;
  label* of = static_cast<label*>(block) - 1;
  owned[static_cast<std::size_t>(of->owner)] -= of->size;
  std::free(of);
}

}  // namespace
}  // namespace tomoshibi::sim

// The forms for stricter alignment stay the library's, and are not counted: nothing here has one.
void* operator new(std::size_t size) { return tomoshibi::sim::take(size); }
void* operator new[](std::size_t size) { return tomoshibi::sim::take(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return tomoshibi::sim::take(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return tomoshibi::sim::take(size); }
void operator delete(void* block) noexcept { tomoshibi::sim::give_back(block); }
void operator delete[](void* block) noexcept { tomoshibi::sim::give_back(block); }
void operator delete(void* block, std::size_t) noexcept { tomoshibi::sim::give_back(block); }
void operator delete[](void* block, std::size_t) noexcept { tomoshibi::sim::give_back(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { tomoshibi::sim::give_back(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { tomoshibi::sim::give_back(block); }
