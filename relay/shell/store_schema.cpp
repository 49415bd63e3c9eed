#include "relay/shell/store_schema.hpp"

#include <array>

namespace tomoshibi::relay {
namespace {

// Times are UTC milliseconds, slots and days count from 1970-01-01T00:00Z, enumerations are the numbers of ledger.hpp.
//
// Facts do not refer to the directory by foreign keys: what the relay learns of a home that was erased a moment ago is
// dropped by the write itself (store_writes.cpp), not an error that stops a batch of thousands of homes.
constexpr std::string_view version_1 = R"sql(
-- The directory: written by tomoshibi-ctl.
CREATE TABLE home (
  id INTEGER PRIMARY KEY AUTOINCREMENT,      -- never used again
  name TEXT NOT NULL UNIQUE,
  zone_min INTEGER NOT NULL,
  watch_mode INTEGER NOT NULL,
  watch_since_ms INTEGER NOT NULL,
  blind_family_after_ms INTEGER NOT NULL,
  blind_provider_after_ms INTEGER NOT NULL,
  config_version INTEGER NOT NULL,           -- counted up when the gateway's configuration changes
  poll_interval_s INTEGER NOT NULL,
  gap_limit_s INTEGER NOT NULL,
  next_appliance INTEGER NOT NULL,           -- ids of removed appliances are not used again
  added_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE gateway (
  id TEXT PRIMARY KEY,
  home INTEGER NOT NULL REFERENCES home(id),
  revoked INTEGER NOT NULL,
  certificate_sha256 TEXT NOT NULL,          -- '' = none issued
  added_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX gateway_of_home ON gateway(home);
CREATE TABLE appliance (
  home INTEGER NOT NULL REFERENCES home(id),
  id INTEGER NOT NULL,
  label TEXT NOT NULL,
  node TEXT NOT NULL,
  eoj INTEGER NOT NULL,
  on_rule INTEGER NOT NULL,
  watts_above INTEGER NOT NULL,
  power_w_max INTEGER NOT NULL,
  quiet_days INTEGER,                        -- NULL = no rule
  added_ms INTEGER NOT NULL,
  removed_ms INTEGER,                        -- NULL = watched; kept so that old days keep their labels
  PRIMARY KEY (home, id)
) STRICT;
CREATE TABLE contact (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  home INTEGER REFERENCES home(id),          -- NULL = the provider's own
  role INTEGER NOT NULL,
  name TEXT NOT NULL,
  address TEXT NOT NULL,
  lang INTEGER NOT NULL,
  quiet_from_min INTEGER NOT NULL,
  quiet_until_min INTEGER NOT NULL
) STRICT;
CREATE INDEX contact_of_home ON contact(home);
CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

-- Slots: cells is the format of day_row.hpp. A rowid table on purpose: blobs in a WITHOUT ROWID tree cost two to three
-- times the write rate, and rows in order of arrival keep the pages of one day together.
CREATE TABLE day (
  home INTEGER NOT NULL,
  appliance INTEGER NOT NULL,
  day INTEGER NOT NULL,
  cells BLOB NOT NULL,
  PRIMARY KEY (home, appliance, day)
) STRICT;

-- Rows that could not be read when more of their day arrived: put aside, the day begins anew (tomoshibi-ctl check tells).
CREATE TABLE day_broken (
  home INTEGER NOT NULL,
  appliance INTEGER NOT NULL,
  day INTEGER NOT NULL,
  cells BLOB NOT NULL,
  PRIMARY KEY (home, appliance, day)
) STRICT;

-- What the relay keeps about gateways.
CREATE TABLE gateway_state (
  gateway TEXT PRIMARY KEY,
  epoch INTEGER NOT NULL DEFAULT 0,
  acked INTEGER NOT NULL DEFAULT 0,
  heard_ms INTEGER,
  firmware_version TEXT NOT NULL DEFAULT '',
  config_version INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE line (
  gateway TEXT NOT NULL,
  since_ms INTEGER NOT NULL,
  state INTEGER NOT NULL,
  known_ms INTEGER NOT NULL,
  PRIMARY KEY (gateway, since_ms)
) STRICT;
CREATE TABLE event (
  gateway TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  value INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (gateway, epoch, seq)
) STRICT;

-- Devices as they are now, and the history of their faults.
CREATE TABLE device (
  home INTEGER NOT NULL,
  device TEXT NOT NULL,
  appliance INTEGER,
  maker INTEGER NOT NULL DEFAULT 0,
  silent INTEGER NOT NULL DEFAULT 0,
  faulty INTEGER NOT NULL DEFAULT 0,
  description INTEGER NOT NULL DEFAULT 0,
  since_ms INTEGER NOT NULL,
  PRIMARY KEY (home, device)
) STRICT;
CREATE TABLE device_fault (
  home INTEGER NOT NULL,
  device TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  faulty INTEGER NOT NULL,
  description INTEGER NOT NULL,
  appliance INTEGER,
  PRIMARY KEY (home, device, at_ms)
) STRICT;

-- Episodes and mails by their natural keys: the same facts twice are one row.
CREATE TABLE episode (
  id INTEGER PRIMARY KEY,
  home INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  appliance INTEGER NOT NULL,
  since_slot INTEGER NOT NULL,
  last_use_slot INTEGER,
  off_slots INTEGER NOT NULL,
  unknown_slots INTEGER NOT NULL,
  cause INTEGER NOT NULL,
  opened_ms INTEGER NOT NULL,
  closed_ms INTEGER,
  closed_by_slot INTEGER,
  cancelled INTEGER NOT NULL DEFAULT 0,
  UNIQUE (home, kind, appliance, since_slot)
) STRICT;
CREATE INDEX episode_open ON episode(home) WHERE closed_ms IS NULL;
CREATE TABLE mail (
  id INTEGER PRIMARY KEY,
  home INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  appliance INTEGER NOT NULL,
  since_slot INTEGER NOT NULL,
  edge INTEGER NOT NULL,
  contact INTEGER NOT NULL,
  state INTEGER NOT NULL,
  urgent INTEGER NOT NULL,
  queued_ms INTEGER NOT NULL,
  not_before_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  message_id TEXT NOT NULL,
  last_error TEXT NOT NULL,
  UNIQUE (home, kind, appliance, since_slot, edge, contact)
) STRICT;
CREATE INDEX mail_queued ON mail(queued_ms) WHERE state = 1;
CREATE TABLE alive (one INTEGER PRIMARY KEY CHECK (one = 1), at_ms INTEGER NOT NULL) STRICT;
)sql";

constexpr std::string_view version_2 = R"sql(
-- Appliances whose quiet stretch is still to be counted again, because slots came late.
CREATE TABLE recount (
  home INTEGER NOT NULL,
  appliance INTEGER NOT NULL,
  from_slot INTEGER NOT NULL,
  PRIMARY KEY (home, appliance)
) STRICT;
)sql";

constexpr std::string_view version_3 = R"sql(
-- How a home is known at the guard centre: one account each.
CREATE TABLE guard_accounts (
  home INTEGER PRIMARY KEY REFERENCES home(id),
  account TEXT NOT NULL UNIQUE,              -- 3..16 upper-case hexadecimal digits
  key_hex TEXT NOT NULL,                     -- of 16, 24 or 32 bytes; '' = plain frames. Never shown, never exported
  send_inactivity INTEGER NOT NULL,          -- whether the three-day alert goes to the centre too
  set_ms INTEGER NOT NULL
) STRICT;
)sql";

constexpr std::array<std::string_view, 3> steps = {version_1, version_2, version_3};

// One commit of many homes touches thousands of pages; a larger WAL writes a page that changes often back less often
// (measured: +30 % rows a second over the default of 1,000 pages).
constexpr std::string_view tuning = R"sql(
PRAGMA secure_delete = ON;
PRAGMA wal_autocheckpoint = 16000;
PRAGMA cache_size = -32000;
)sql";

status check_version(sqlite_db& db, const std::string& path) {
  const auto id = db.query_int("PRAGMA application_id");
  if (!id) return std::unexpected(id.error());
  if (*id != store_application_id) return fail(errc::storage_corrupt, path + ": not a relay database");
  const auto version = db.query_int("PRAGMA user_version");
  if (!version) return std::unexpected(version.error());
  const auto ours = static_cast<std::int64_t>(steps.size());
  if (*version == ours) return {};
  return fail(errc::storage_version, path + ": schema " + std::to_string(*version) + ", this program has " +
                                         std::to_string(ours) +
                                         (*version < ours ? "; start the relay once to bring it up to date" : ""));
}

}  // namespace

const sqlite_schema& store_schema() {
  static constexpr sqlite_schema schema{store_application_id, steps};
  return schema;
}

result<sqlite_db> open_store_db(const std::string& path, const store_open_options& options) {
  database_files& files = options.files != nullptr ? *options.files : machine_files();
  if (!options.create && !files.exists(path))
    return fail(errc::not_found, path + ": no database here; run tomoshibi-ctl init first");
  auto db = sqlite_db::open(path, {.create = options.create, .busy_timeout = options.busy_timeout, .files = &files});
  if (!db) return std::unexpected(db.error());
  if (options.create) {
    if (auto version = migrate(*db, store_schema()); !version) return std::unexpected(version.error());
  } else if (auto ok = check_version(*db, path); !ok) {
    return std::unexpected(ok.error());
  }
  if (auto ok = db->exec(tuning); !ok) return std::unexpected(ok.error());
  return db;
}

}  // namespace tomoshibi::relay
