#include "firmware/shell/power_watch.hpp"

#include <charconv>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <unistd.h>

namespace tomoshibi::firmware {
namespace {

std::string word_of(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return {};
  char text[64];
  const ssize_t n = ::read(fd, text, sizeof text);
  ::close(fd);
  std::string out(text, n > 0 ? static_cast<std::size_t>(n) : 0);
  while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) out.pop_back();
  return out;
}

std::optional<int> number_of(const std::string& path) {
  const std::string word = word_of(path);
  int value = 0;
  const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (word.empty() || failed != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return value;
}

bool low(const std::string& supply, bool before) {
  const std::string level = word_of(supply + "/capacity_level");
  if (level == "Low" || level == "Critical") return true;
  const auto percent = number_of(supply + "/capacity");
  return percent && *percent < (before ? battery_fine_percent : battery_low_percent + 1);
}

}  // namespace

power_state read_power(const std::string& folder, const power_state& before) {
  bool mains = false, online = false;
  power_state out;
  const std::unique_ptr<DIR, int (*)(DIR*)> all(::opendir(folder.c_str()), ::closedir);
  if (!all) return out;
  std::size_t seen = 0;
  for (const dirent* entry = ::readdir(all.get()); entry != nullptr && seen < supplies_max; entry = ::readdir(all.get())) {
    const std::string name = entry->d_name;
    if (name.starts_with('.')) continue;
    ++seen;
    const std::string supply = folder + '/' + name;
    if (word_of(supply + "/scope") == "Device") continue;
    const std::string type = word_of(supply + "/type");
    if (type == "Mains" || type.starts_with("USB")) {
      const auto value = number_of(supply + "/online");
      if (!value) continue;
      mains = true;
      online |= *value != 0;
    }
    if ((type == "Battery" || type == "UPS") && number_of(supply + "/present").value_or(1) != 0)
      out.battery_low |= low(supply, before.battery_low);
  }
  out.mains_lost = mains && !online;
  return out;
}

power_watch::power_watch(event_loop& loop, std::string folder, log_sink& log, listener& events, millis every)
    : loop_(loop), folder_(std::move(folder)), log_(log, "power"), events_(&events), every_(every), timer_(loop) {
  timer_.set_after(0ms, [this] { look(); });
}

void power_watch::look() {
  timer_.set_after(every_, [this] { look(); });
  const power_state former = std::exchange(seen_, read_power(folder_, told_));
  if (seen_ != former || seen_ == told_) return;
  told_ = seen_;
  log_.warning("power", {{"mains_lost", told_.mains_lost ? 1 : 0}, {"battery_low", told_.battery_low ? 1 : 0}});
  events_->on_power(told_);
}

}  // namespace tomoshibi::firmware
