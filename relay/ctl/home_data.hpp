// Every table that holds something about one home, in one list: export and erase go through the same one, so that what is
// exported is what is erased. A test compares it with the schema: a new table cannot be forgotten.
#pragma once

#include <span>
#include <string_view>

namespace tomoshibi::ctl {

struct home_table {
  std::string_view name;      // of the table, and of the exported file
  std::string_view of_home;   // condition with ?1 = the home
  std::string_view secret = {};  // a text column that an export does not show: "set" or ""
};

// In an order in which rows can be deleted: what refers comes before what is referred to.
std::span<const home_table> home_tables();

// The same of emergency.db (relay/shell/emergency_rows.cpp).
std::span<const home_table> emergency_home_tables();

// Tables about nobody in particular.
std::span<const std::string_view> general_tables();

}  // namespace tomoshibi::ctl
