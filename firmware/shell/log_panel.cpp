#include "firmware/shell/log_panel.hpp"

#include "firmware/ports/panel_words.hpp"
#include "firmware/shell/small_file.hpp"

#include <utility>

namespace tomoshibi::firmware {

log_panel::log_panel(log_sink& log, std::string state_file) : log_(log, "panel"), state_file_(std::move(state_file)) {}

void log_panel::show(const panel_view& what) {
  log_.info("shown", {{"word", name_of(what.word)}, {"test", what.test ? 1 : 0}, {"not_saved", what.not_saved ? 1 : 0}});
  if (state_file_.empty()) return;
  std::string text = "word=" + std::string(name_of(what.word)) + " test=" + (what.test ? "1" : "0") +
                     " not_saved=" + (what.not_saved ? "1" : "0") + "\n";
  for (const auto language : {panel_language::japanese, panel_language::english}) text += std::string(voice_of(what, language)) + "\n";
  const bool written = write_anew(state_file_, text);
  if (!written && !told_) log_.error("state_file", {{"file", state_file_}});
  told_ = !written;
}

}  // namespace tomoshibi::firmware
