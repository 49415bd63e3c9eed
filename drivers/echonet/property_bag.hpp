// The answers to one job: property values, and which properties were refused.
#pragma once

#include "drivers/echonet/eoj.hpp"
#include "drivers/echonet/property_map.hpp"
#include "protocol/base/bytes.hpp"

#include <optional>
#include <vector>

namespace tomoshibi::drivers::echonet {

class property_bag {
public:
  void clear() {
    entries_.clear();
    store_.clear();
    refused_ = {};
  }
  void put(epc_code code, byte_view value) {
    if (find(code)) return;  // the first answer stands
    entries_.push_back({code, store_.size(), value.size()});
    put_bytes(store_, value);
  }
  void refuse(epc_code code) { refused_.insert(code); }

  std::optional<byte_view> find(epc_code code) const {
    for (const entry& e : entries_) {
      if (e.code == code) return byte_view{store_}.subspan(e.at, e.size);
    }
    return std::nullopt;
  }
  bool refused(epc_code code) const { return refused_.contains(code) && !find(code); }
  bool settled(epc_code code) const { return refused_.contains(code) || find(code).has_value(); }
  bool has_values() const { return !entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  // In the order of arrival, without the `first` oldest.
  template <class Function>
  void for_each_from(std::size_t first, Function&& function) const {
    for (std::size_t i = first; i < entries_.size(); ++i) {
      function(entries_[i].code, byte_view{store_}.subspan(entries_[i].at, entries_[i].size));
    }
  }

private:
  struct entry {
    epc_code code;
    std::size_t at;
    std::size_t size;
  };
  std::vector<entry> entries_;
  bytes store_;
  property_map refused_;
};

}  // namespace tomoshibi::drivers::echonet
