// Cuts a byte stream into DC-09 frames, from LF to CR, however the bytes arrive. What stands outside of frames (a bare CR LF,
// an unframed word, noise) is skipped and counted; a frame that a new LF interrupts, or that grows over frame_bytes_max, is
// told as a fault and the search for LF begins anew. Holds at most one frame.
#pragma once

#include "protocol/base/bytes.hpp"
#include "protocol/dc09/fault.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace tomoshibi::dc09 {

// A peer that has sent so much without one frame is none; the owner closes.
inline constexpr std::size_t junk_bytes_max = 64 * 1024;

class splitter {
public:
  // Takes bytes from `data` until a frame is whole or data is used up; call again until nothing is returned. The view is
  // valid until the next call. Faults: no_end, too_long.
  std::optional<read_result<std::string_view>> next(byte_view& data);
  std::size_t junk() const { return junk_; }             // bytes outside of frames since the last whole one
  bool inside_frame() const { return !whole_ && !frame_.empty(); }

private:
  std::optional<read_result<std::string_view>> take(char c);

  std::string frame_;                                    // empty: looking for LF
  bool whole_ = false;
  std::size_t junk_ = 0;
};

}  // namespace tomoshibi::dc09
