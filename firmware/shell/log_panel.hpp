// The panel of a box without lamps, and of a development machine: a line in the log at each change and, if wanted, a file that
// always holds what is shown:
//   word=calling test=0 not_saved=0
//   <the voice in Japanese>
//   <the voice in English>
#pragma once

#include "firmware/ports/panel.hpp"
#include "protocol/base/log.hpp"

#include <string>

namespace tomoshibi::firmware {

class log_panel final : public panel {
public:
  log_panel(log_sink& log, std::string state_file);  // empty: no file
  void show(const panel_view& what) override;

private:
  logger log_;
  std::string state_file_;
  bool told_ = false;  // that the file cannot be written
};

}  // namespace tomoshibi::firmware
