// How an emergency mail is put together; private to emergency_text*.cpp.
#pragma once

#include "relay/core/emergency/emergency_text.hpp"
#include "relay/core/mail_text_parts.hpp"

namespace tomoshibi::relay::emergency_text_parts {

// The facts as they may be shown: names cleaned, times readable.
struct shown_emergency {
  const emergency_facts* facts = nullptr;
  home_time time;
  std::string home;
  std::string reader;                        // may be empty
  bool drill = false;
  bool accepted() const { return facts->press && facts->press->stage == press_stage::accepted; }
};

// A press that we heard of so much later than it was made is told with both times.
inline constexpr millis heard_late_after = 1min;

notice_text emergency_family_ja(const shown_emergency& f);
notice_text emergency_family_en(const shown_emergency& f);
notice_text emergency_provider(const shown_emergency& f);

}  // namespace tomoshibi::relay::emergency_text_parts
