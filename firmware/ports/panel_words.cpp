#include "firmware/ports/panel_words.hpp"

#include <utility>

namespace tomoshibi::firmware {
namespace {

// In the order of panel_word.
struct words {
  std::string_view name;
  std::string_view japanese, english;
  std::string_view drill_japanese, drill_english;
  panel_signal signal;
};

constexpr pulse slow{500, 500}, quick{250, 250}, alarm{100, 100};

constexpr words all[] = {
    {"idle", "", "", "", "", {}},
    {"accepted", "ガードセンターに届きました。そのままお待ちください。",
     "The guard centre has your call. Please wait where you are.",
     "訓練です。ガードセンターに届きました。",
     "This is a drill. The guard centre has the test call.", {pulse_off, pulse_on, pulse_off, pulse_off}},
    {"received", "知らせを受け取りました。ガードセンターにつないでいます。",
     "Your call has been received. We are telling the guard centre.",
     "訓練です。知らせを受け取りました。",
     "This is a drill. The test call has been received.", {pulse_on, slow, pulse_off, pulse_off}},
    {"calling", "助けを呼んでいます。お待ちください。",
     "Calling for help. Please wait.",
     "訓練です。呼び出しています。",
     "This is a drill. Calling.", {quick, pulse_off, pulse_off, {200, 800}}},
    {"not_delivered", "まだつながりません。呼び続けています。電話で119番か110番にかけてください。",
     "Not delivered yet. We keep trying. Please call 119 or 110 by telephone.",
     "訓練です。まだつながりません。本当に助けが必要なときは、119番か110番へ。",
     "This is a drill. Not delivered yet. If you really need help, call 119 or 110.", {alarm, pulse_off, pulse_off, {500, 500}}},
};

const words& words_of(panel_word word) { return all[std::to_underlying(word)]; }

}  // namespace

std::string_view name_of(panel_word word) { return words_of(word).name; }

panel_signal signal_of(const panel_view& what) {
  panel_signal signal = words_of(what.word).signal;
  if (what.test) signal.buzzer = pulse_off;
  if (what.not_saved) signal.fault = pulse_on;
  return signal;
}

std::string_view voice_of(const panel_view& what, panel_language language) {
  const words& w = words_of(what.word);
  if (language == panel_language::japanese) return what.test ? w.drill_japanese : w.japanese;
  return what.test ? w.drill_english : w.english;
}

}  // namespace tomoshibi::firmware
