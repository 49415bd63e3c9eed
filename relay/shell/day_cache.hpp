// The day rows that one batch touches: read once, merged in memory, written once.
//
// A gateway that comes back after a month brings 96 slots of each day; without this each would decode and write its row
// again. Bounded: when more than rows_max rows are held they are written out within the same transaction.
#pragma once

#include "protocol/wire/messages.hpp"
#include "relay/core/ledger.hpp"
#include "relay/shell/statement_cache.hpp"

#include <deque>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace tomoshibi::relay {

class day_cache {
public:
  static constexpr std::size_t rows_max = 4096;  // about 8 MB decoded

  explicit day_cache(statement_cache& statements) : statements_(&statements) {}
  void begin();    // a transaction: forgets what another one, that may have failed, has left
  status merge(home_id home, const wire::slot_closed& slot);
  status merge(home_id home, const wire::slot_gap& gap);
  status flush();  // call before the transaction's commit

private:
  using key = std::tuple<home_id, appliance_id, utc_day>;
  struct key_hash {
    std::size_t operator()(const key& k) const;
  };
  struct row {
    key what;
    day_cells cells{};
    bool changed = false;
  };
  result<bool> known(home_id home);  // false: erased meanwhile; its facts are dropped
  result<row*> load(const key& k);
  status put_aside(const key& k);
  status put(home_id home, appliance_id appliance, slot_index slot, const slot_cell& cell, bool only_if_absent);

  statement_cache* statements_;
  row& fresh_row(const key& k);
  void forget_rows();

  std::unordered_map<home_id, bool> homes_;
  std::unordered_map<key, row*, key_hash> rows_;
  std::deque<row> pool_;         // rows of 2 KB: kept for the next transaction, the first rows_.size() of them are in use
  std::vector<const row*> order_;  // of flush(), by key: neighbours in the table are written one after the other
};

}  // namespace tomoshibi::relay
