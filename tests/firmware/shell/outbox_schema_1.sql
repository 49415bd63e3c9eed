-- The gateway's outbox as version 1 of the schema made it. Frozen, see tests/firmware/shell/outbox_schema_test.cpp.
PRAGMA application_id = 1953328994;
PRAGMA user_version = 1;
CREATE TABLE records (seq INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL, next_seq INTEGER NOT NULL,
 checkpoint BLOB, config BLOB);
INSERT INTO state VALUES (1, -5, 14, x'0102', x'0304');
INSERT INTO records VALUES (11, x'aa');
INSERT INTO records VALUES (12, x'bbbb');
INSERT INTO records VALUES (13, x'');
