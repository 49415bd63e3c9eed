// Registers many homes at once in a relay's folder that tomoshibi-ctl has made: for each a gateway with its own key and
// certificate, five appliances of which one is watched for three days, and one of the family; all in one transaction.
#pragma once

#include "protocol/base/result.hpp"

#include <string>

namespace tomoshibi::load {

struct enrol_options {
  std::string folder;            // the relay's
  std::string fleet;             // file to make
  std::size_t count = 0;
  bool year = false;             // the first home gets a year of slots, for reading
};
status enrol(const enrol_options& options);

inline constexpr int appliances_per_home = 5;

}  // namespace tomoshibi::load
