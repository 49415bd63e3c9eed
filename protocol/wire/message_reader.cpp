#include "protocol/wire/message_reader.hpp"

namespace tomoshibi::wire {

result<std::optional<message>> message_reader::next(byte_view& data) {
  for (;;) {
    const auto payload = frames_.next(data);
    if (!payload) return fail(payload.error().code, "frame");
    if (!*payload) return std::optional<message>{};
    auto m = decode_payload(**payload);
    if (m) return std::optional<message>{std::move(*m)};
    if (m.error().code != errc::unsupported) return std::unexpected(m.error());
  }
}

}  // namespace tomoshibi::wire
