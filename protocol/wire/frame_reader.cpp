#include "protocol/wire/frame_reader.hpp"

#include "protocol/wire/messages.hpp"

#include <algorithm>

namespace tomoshibi::wire {
namespace {

constexpr std::size_t length_bytes = 2;

std::size_t payload_length(const bytes& frame) { return static_cast<std::size_t>(frame[0] << 8 | frame[1]); }

}  // namespace

void frame_reader::take(byte_view& data, std::size_t whole_size) {
  const std::size_t n = std::min(whole_size - frame_.size(), data.size());
  frame_.insert(frame_.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(n));
  data = data.subspan(n);
}

result<std::optional<byte_view>> frame_reader::next(byte_view& data) {
  if (failed_) return fail(errc::malformed, "the stream was given up earlier");
  if (whole_) {
    frame_.clear();
    whole_ = false;
  }
  if (frame_.size() < length_bytes) take(data, length_bytes);
  if (frame_.size() < length_bytes) return std::optional<byte_view>{};

  const std::size_t length = payload_length(frame_);
  if (length == 0 || length > frame_payload_max) {
    failed_ = true;
    return length == 0 ? fail(errc::malformed, "frame length 0")
                       : fail(errc::too_long, "frame of " + std::to_string(length) + " bytes, at most " +
                                                  std::to_string(frame_payload_max));
  }
  take(data, length_bytes + length);
  if (frame_.size() < length_bytes + length) return std::optional<byte_view>{};
  whole_ = true;
  return std::optional<byte_view>{byte_view{frame_}.subspan(length_bytes)};
}

}  // namespace tomoshibi::wire
