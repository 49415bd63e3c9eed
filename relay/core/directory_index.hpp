// The directory by home: who reads a home's notices, which boxes and appliances stand there. Made anew with each directory.
#pragma once

#include "relay/core/directory.hpp"

#include <map>
#include <vector>

namespace tomoshibi::relay {

struct directory_index {
  std::map<home_id, std::vector<gateway_id>> gateways;   // not revoked
  std::map<home_id, std::vector<appliance_id>> appliances;  // ascending
  std::map<home_id, std::vector<contact_id>> contacts;   // of this home
  std::vector<contact_id> common;                        // the provider's own: for every home

  explicit directory_index(const directory& d) {
    for (const auto& [id, g] : d.gateways)
      if (!g.revoked) gateways[g.home].push_back(id);
    for (const auto& [where, a] : d.appliances) appliances[where.first].push_back(where.second);
    for (const auto& [id, c] : d.contacts) (c.home ? contacts[*c.home] : common).push_back(id);
  }
  const std::vector<gateway_id>& gateways_of(home_id home) const { return at(gateways, home); }
  const std::vector<appliance_id>& appliances_of(home_id home) const { return at(appliances, home); }
  const std::vector<contact_id>& contacts_of(home_id home) const { return at(contacts, home); }

private:
  template <class T>
  static const std::vector<T>& at(const std::map<home_id, std::vector<T>>& all, home_id home) {
    static const std::vector<T> none;
    const auto found = all.find(home);
    return found == all.end() ? none : found->second;
  }
};

// A directory and its index, replaced together.
struct known_world {
  directory all;
  directory_index by_home;
  known_world() : by_home(all) {}
  explicit known_world(directory d) : all(std::move(d)), by_home(all) {}
};

}  // namespace tomoshibi::relay
