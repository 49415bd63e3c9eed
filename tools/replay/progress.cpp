#include "tools/replay/progress.hpp"

#include "tools/replay/iso_time.hpp"

#include <algorithm>
#include <cstdio>

namespace tomoshibi::replay {
namespace {

std::string date_and_minute(wall_at at, std::chrono::minutes zone) {
  std::string text = format_iso_time(std::chrono::floor<std::chrono::minutes>(at + zone));
  text.resize(text.size() - 4);  // without ":00Z"
  std::ranges::replace(text, 'T', ' ');
  return text;
}

std::string speed_text(double speed) {
  char text[48];
  if (speed >= 86'400) std::snprintf(text, sizeof text, "%.1f days/s", speed / 86'400);
  else if (speed >= 3600) std::snprintf(text, sizeof text, "%.1f hours/s", speed / 3600);
  else std::snprintf(text, sizeof text, "%.0f x", speed);
  return text;
}

}  // namespace

std::string progress_text(const conductor& c, std::chrono::minutes zone, double speed) {
  std::string text = "replay " + date_and_minute(c.wall(), zone);
  const conductor_options& o = c.options();
  if (o.end && *o.end > o.start && c.wall() <= *o.end) {
    char share[16];
    std::snprintf(share, sizeof share, "  %3d %%",
                  static_cast<int>((c.wall() - o.start).count() * 100 / (*o.end - o.start).count()));
    text += share;
  }
  switch (c.state()) {
    case phase::gathering:
      return text + "  waiting for participants, " + std::to_string(c.joined()) + " of " + std::to_string(c.expected());
    case phase::paused: return text + "  paused";
    case phase::ended: return text + "  ended";
    default: return text + "  " + speed_text(speed);
  }
}

std::optional<std::string> progress::update(mono_time real, const conductor& c) {
  if (!due(real)) return {};
  due_ = real + (options_.terminal ? progress_every_terminal : progress_every_log);
  if (last_real_ && real > *last_real_) {
    const auto moved = static_cast<double>((c.mono() - last_virtual_).count());
    const double now_speed = moved / static_cast<double>((real - *last_real_).count());
    speed_ = options_.terminal && speed_ > 0 ? speed_ * 0.7 + now_speed * 0.3 : now_speed;
  }
  last_real_ = real;
  last_virtual_ = c.mono();
  const std::string text = progress_text(c, options_.zone, speed_);
  if (!options_.terminal) return text + "\n";
  line_open_ = true;
  return "\r\x1b[K" + text;
}

std::string progress::finish() {
  const bool open = line_open_;
  line_open_ = false;
  return open ? "\n" : "";
}

}  // namespace tomoshibi::replay
