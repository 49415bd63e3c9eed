// Shows that the protocol can grow: on their way, frames lose fields that a newer program added, and gain fields that an
// older one does not know. What is listed in `optional_fields` may be absent (docs/PROTOCOL.md, "Evolution"); a field that
// is added to the schema after version 1 is added here, in the same commit.
#pragma once

#include "protocol/base/bytes.hpp"
#include "protocol/base/prng.hpp"

#include <cstdint>
#include <span>

namespace tomoshibi::sim {

// A field by the way to it: tags from Frame on. Hello.wall_ms is {1, 9}.
struct optional_field {
  std::span<const std::uint32_t> path;
  const char* name;
};
std::span<const optional_field> optional_fields();

class field_dropper {
public:
  explicit field_dropper(prng random) : random_(random) {}

  // Whole frames, each with its length: the same frames, each optional field left out with an even chance, unknown fields
  // put in here and there. Frames that would become too long stay as they are. The view is good until the next call.
  byte_view change(byte_view frames);
  std::uint64_t dropped() const { return dropped_; }
  std::uint64_t added() const { return added_; }

private:
  bool copy_message(byte_view from, std::uint32_t* path, std::size_t depth, bytes& to);

  prng random_;
  bytes out_;
  std::uint64_t dropped_ = 0;
  std::uint64_t added_ = 0;
};

}  // namespace tomoshibi::sim
