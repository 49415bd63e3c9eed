// Cuts a byte stream into frames. States: reading -> failed (a length of 0 or over frame_payload_max; for good).
// Holds at most one frame.
#pragma once

#include "protocol/base/bytes.hpp"
#include "protocol/base/result.hpp"

#include <optional>

namespace tomoshibi::wire {

class frame_reader {
public:
  // Takes bytes from `data` until a frame is whole or data is used up; call again until nothing is returned.
  // A returned view is valid until the next call. Errors: malformed (length 0), too_long.
  result<std::optional<byte_view>> next(byte_view& data);
  bool inside_frame() const { return !whole_ && !frame_.empty(); }  // a frame has begun and is not whole

private:
  void take(byte_view& data, std::size_t whole_size);

  bytes frame_;
  bool whole_ = false;
  bool failed_ = false;
};

}  // namespace tomoshibi::wire
