#include "protocol/dc09/splitter.hpp"

#include "protocol/dc09/frame.hpp"

namespace tomoshibi::dc09 {

std::optional<read_result<std::string_view>> splitter::take(char c) {
  if (c == '\n') {
    const std::size_t begun = frame_.size();
    frame_ = '\n';
    // LF LF: the first was noise of a receiver that ends lines its own way.
    if (begun <= 1) {
      junk_ += begun;
      return std::nullopt;
    }
    junk_ += begun;
    return read_result<std::string_view>{std::unexpected(fault::no_end)};
  }
  if (frame_.empty()) {
    ++junk_;
    return std::nullopt;
  }
  frame_ += c;
  if (c == '\r') {
    if (frame_.size() == 2) {   // LF CR: nothing between
      junk_ += frame_.size();
      frame_.clear();
      return std::nullopt;
    }
    whole_ = true;
    junk_ = 0;
    return read_result<std::string_view>{frame_};
  }
  if (frame_.size() < frame_bytes_max) return std::nullopt;
  junk_ += frame_.size();
  frame_.clear();
  return read_result<std::string_view>{std::unexpected(fault::too_long)};
}

std::optional<read_result<std::string_view>> splitter::next(byte_view& data) {
  if (whole_) {
    frame_.clear();
    whole_ = false;
  }
  while (!data.empty()) {
    const char c = static_cast<char>(data.front());
    data = data.subspan(1);
    if (auto found = take(c)) return found;
  }
  return std::nullopt;
}

}  // namespace tomoshibi::dc09
