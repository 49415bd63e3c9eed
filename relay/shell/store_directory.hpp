// The directory's tables: read whole for the relay, changed one row at a time by tomoshibi-ctl.
//
// Each change belongs into the caller's transaction together with what it needs (bump_config). Limits of values are the
// caller's to check (relay/ctl/parse.hpp); here only what the tables themselves must hold.
#pragma once

#include "relay/core/directory.hpp"
#include "relay/shell/statement_cache.hpp"

namespace tomoshibi::relay {

result<directory> read_directory(sqlite_db& db);  // one consistent picture

struct config_settings {                  // of a home, beside its appliances
  std::uint32_t poll_interval_s = 60;
  std::uint32_t gap_limit_s = 180;
};

// ---- homes. add: already_exists if the name is taken.
result<home_id> add_home(sqlite_db& db, const home& what, const config_settings& settings, wall_at now);
status change_home(sqlite_db& db, const home& what, const config_settings& settings);
status remove_home(sqlite_db& db, home_id home);  // the row only; refused (SQLite's text) while others refer to it
status bump_config(sqlite_db& db, home_id home);

// ---- gateways
status add_gateway(sqlite_db& db, const gateway& what, wall_at now);
status change_gateway(sqlite_db& db, const gateway& what);
status remove_gateway(sqlite_db& db, const gateway_id& id);  // with its line history, events and progress

// ---- appliances. add gives the next free id of the home; an id is never given twice.
result<appliance_id> add_appliance(sqlite_db& db, const appliance& what);
status change_appliance(sqlite_db& db, const appliance& what);
status remove_appliance(sqlite_db& db, home_id home, appliance_id id, wall_at now);  // its days stay

// ---- contacts
result<contact_id> add_contact(sqlite_db& db, const contact& what);
status change_contact(sqlite_db& db, const contact& what);
status remove_contact(sqlite_db& db, contact_id id);  // mails not sent yet are cancelled

// ---- accounts at the guard centre. set replaces the home's; already_exists if another home has that account.
status set_guard_account(sqlite_db& db, home_id home, const guard_account& what, wall_at now);
status remove_guard_account(sqlite_db& db, home_id home);

}  // namespace tomoshibi::relay
