// What is wrong with the box and its buttons now, as the relay is told it: a state, whole at each change.
#pragma once

#include "protocol/wire/messages.hpp"

#include <string_view>
#include <vector>

namespace tomoshibi::firmware {

class box_troubles {
public:
  bool set(trouble_kind kind, std::string_view button, bool on);  // true: it is a change
  // The box's own first. At most what one frame holds: with very many long names some of the buttons' are left out.
  wire::box_state state() const;
  std::size_t count() const { return now_.size(); }

private:
  std::vector<wire::trouble> now_;  // sorted; at most wire::troubles_max
};

}  // namespace tomoshibi::firmware
