// What differs between two readings of one configuration file, and what the log says of it.
#include "protocol/adapters/toml_reader.hpp"

#include <algorithm>

namespace tomoshibi {

std::vector<config_schema::difference> config_schema::differences(const config_schema& other) const {
  std::vector<difference> out;
  for (std::size_t i = 0; i < std::min(tables_.size(), other.tables_.size()); ++i) {
    const auto& ours = tables_[i]->keys_;
    const auto& theirs = other.tables_[i]->keys_;
    const std::string prefix = tables_[i]->name_.empty() ? "" : tables_[i]->name_ + ".";
    for (std::size_t k = 0; k < std::min(ours.size(), theirs.size()); ++k)
      if (ours[k]->now_() != theirs[k]->now_()) out.push_back({prefix + ours[k]->name_, ours[k]->at_start_});
  }
  return out;
}

void log_differences(const std::vector<config_schema::difference>& differences, const logger& log) {
  std::string changed;
  std::string waiting;
  for (const auto& d : differences) {
    auto& list = d.at_start ? waiting : changed;
    list += (list.empty() ? "" : " ") + d.key;
  }
  if (!changed.empty()) log.info("configuration_changed", {{"keys", changed}});
  if (!waiting.empty()) log.warning("restart_needed", {{"keys", waiting}});
}

}  // namespace tomoshibi
