#include "firmware/core/direct_event.hpp"

#include "protocol/dc09/press_signal.hpp"

namespace tomoshibi::firmware {
namespace {

constexpr std::uint64_t sequences = 9'999;

dc09::signal signal_for(const press& what) {
  return dc09::signal_of(what.test ? press_source::drill : what.source);   // the mark outweighs what it came from
}

}  // namespace

dc09::outgoing direct_event(const press& what, const std::string& account, const dc09::cipher* key) {
  const auto id = static_cast<std::uint64_t>(what.id);
  return {.id = id, .sequence = static_cast<std::uint16_t>(1 + id % sequences), .account = account, .key = key,
          .what = signal_for(what), .occurred = what.occurred == wall_at{} ? std::nullopt : std::optional{what.occurred},
          .reference = dc09::reference_of(what.id), .urgent = true};
}

}  // namespace tomoshibi::firmware
