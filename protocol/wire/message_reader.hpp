// Messages out of a byte stream: frame_reader and decode_payload, with what a newer version says left out.
#pragma once

#include "protocol/wire/frame_reader.hpp"
#include "protocol/wire/messages.hpp"

namespace tomoshibi::wire {

class message_reader {
public:
  // Takes bytes from `data` until a message is whole or data is used up; call again until nothing is returned.
  // Errors: malformed, too_long; the stream is of no use any more.
  result<std::optional<message>> next(byte_view& data);

private:
  frame_reader frames_;
};

}  // namespace tomoshibi::wire
