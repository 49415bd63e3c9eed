-- The relay's database as version 2 of the schema made it. Frozen: a released version is never changed, here or in
-- relay/shell/store_schema.cpp. Each later version is reached from this one (tests/relay/shell/schema_test.cpp).
PRAGMA application_id = 1416459113;
PRAGMA user_version = 2;
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

-- Appliances whose quiet stretch is still to be counted again, because slots came late.
CREATE TABLE recount (
  home INTEGER NOT NULL,
  appliance INTEGER NOT NULL,
  from_slot INTEGER NOT NULL,
  PRIMARY KEY (home, appliance)
) STRICT;

-- A few rows, as a relay of version 2 would have left them.
INSERT INTO home VALUES (1, 'home 1', 540, 1, 1710000000000, 21600000, 3600000, 4, 60, 180, 3, 1700000000000);
INSERT INTO gateway VALUES ('box-1', 1, 0, 'aa', 1700000000000);
INSERT INTO appliance VALUES (1, 1, 'television', 'any', 394753, 1, 0, 300, 3, 1700000000000, NULL);
INSERT INTO appliance VALUES (1, 2, 'kettle', 'any', 394754, 2, 12, 1500, NULL, 1700000000000, 1710000000000);
INSERT INTO contact VALUES (1, 1, 0, 'family', 'family@example.org', 0, 1320, 420);
INSERT INTO contact VALUES (2, NULL, 1, 'provider', 'provider@example.org', 1, 0, 0);
INSERT INTO setting VALUES ('relay_host', 'relay.example.org');
INSERT INTO day_broken VALUES (1, 1, 19000, x'01ff');
INSERT INTO gateway_state VALUES ('box-1', -5, 42, 1710000000000, '0.1.0', 4);
INSERT INTO line VALUES ('box-1', 1710000000000, 1, 1710000000000);
INSERT INTO event VALUES ('box-1', -5, 7, 1, 2, 1710000000000);
INSERT INTO device VALUES (1, 'n1/060201', 1, 11, 0, 1, 0, 1710000000000);
INSERT INTO device_fault VALUES (1, 'n1/060201', 1710000000000, 1, 0, 1);
INSERT INTO episode VALUES (1, 1, 1, 1, 1900000, 1899999, 288, 4, 0, 1710000000000, NULL, NULL, 0);
INSERT INTO episode VALUES (2, 1, 1, 1, 1890000, NULL, 288, 0, 0, 1700000000000, 1701000000000, 1890400, 0);
INSERT INTO mail VALUES (1, 1, 1, 1, 1900000, 1, 1, 1, 0, 1710000000000, 1710000060000, 1, 'subject', 'body', 'a@example.org', '451');
INSERT INTO alive VALUES (1, 1710000000000);
INSERT INTO recount VALUES (1, 1, 1900100);
