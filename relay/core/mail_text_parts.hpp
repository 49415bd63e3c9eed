// How a letter is put together; private to mail_text*.cpp.
#pragma once

#include "relay/core/home_time.hpp"
#include "relay/core/mail_text.hpp"

#include <initializer_list>
#include <string>
#include <string_view>

namespace tomoshibi::relay::mail_text_parts {

// The facts as they may be shown: names cleaned, times readable.
struct shown_facts {
  const notice_facts* facts = nullptr;
  home_time time;
  std::string home;       // name of the home
  std::string appliance;  // its label; empty when the notice is about the home
  std::string reader;     // name of the contact, may be empty
};

inline std::string joined(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (auto p : parts) out += p;
  return out;
}

// A letter grows paragraph by paragraph, a blank line between them.
class letter {
public:
  void paragraph(std::string_view text) {
    if (!body_.empty()) body_ += '\n';
    body_ += text;
    body_ += '\n';
  }
  std::string take() { return std::move(body_); }

private:
  std::string body_;
};

inline millis slots_length(std::int32_t count) { return count * slot_length; }
inline std::int32_t whole_days(std::int32_t slots) { return slots / slots_per_day; }
// The end of a closed stretch: the slot that ended it if one did, else the moment it was noticed.
inline wall_at stretch_end(const episode& e, wall_at now) {
  return e.closed_by ? start_of(*e.closed_by) : e.closed.value_or(now);
}

notice_text family_ja(const shown_facts& f);
notice_text family_en(const shown_facts& f);
notice_text provider_text(const shown_facts& f);
notice_text test_text(const shown_facts& f);

}  // namespace tomoshibi::relay::mail_text_parts
