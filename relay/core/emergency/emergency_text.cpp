#include "relay/core/emergency/emergency_text.hpp"

#include "relay/core/plain_text.hpp"

namespace tomoshibi::relay {

// Plain words for every reader.
notice_text compose_emergency(const emergency_facts& f) {
  const bool drill = (f.press && f.press->test) || f.drill;
  notice_text out;
  out.subject = drill ? "[drill] " : "";
  out.subject += std::string(name_of(f.kind)) + ": " + one_line(f.where.name);
  out.body = (drill ? "This is a drill.\n" : "") + std::string(name_of(f.kind)) + "\n";
  return out;
}

}  // namespace tomoshibi::relay
