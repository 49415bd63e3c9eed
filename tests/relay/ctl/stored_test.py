"""Goal: what a relay has stored is shown, backed up, exported, erased and checked by tomoshibi-ctl.

    stored_test.py PATH-TO-tomoshibi-ctl
"""
import json
import sqlite3
import stat
import unittest

from ctl_fixture import KEY, Case, Relay

OFF_DAY = bytes.fromhex("01c10f0f5f")  # 96 slots OFF, 15 of 15 readings


class Days(Case):
    def store_day(self, appliance, day, row):
        self.sql("INSERT OR REPLACE INTO day (home, appliance, day, cells) VALUES (1, ?, ?, ?)", appliance, day, row)

    def test_usage(self):
        self.a_watched_home()
        # 2026-01-31 in Japan is the UTC day 20483 from slot 60 (15:00) and 20484 until slot 60.
        off, on = "c10f0f", "2a"
        first = bytes.fromhex("01" + "80" + "3b" + off + "23")                    # slots 60..95 OFF
        second = bytes.fromhex("01" + "410f0f" + "2a8407" + "19" + "47" + "0f00" + "80" + "03" + off + "57")
        self.store_day(1, 20483, first)
        self.store_day(1, 20484, second)
        rows = self.json("usage", 1, "2026-01-31")
        self.assertEqual([r["label"] for r in rows], ["テレビ", "炊飯器"])
        tv = rows[0]
        for key in ("states", "seconds", "wh", "readings", "received", "time_uncertain"):
            self.assertEqual(len(tv[key]), 96, key)
        self.assertEqual(tv["zone"], "+09:00")
        self.assertEqual(tv["first_slot"], 20483 * 96 + 60)
        self.assertEqual(tv["states"][:36], ["off"] * 36)
        self.assertEqual(tv["states"][36:40], ["off", "on", "unknown", "unknown"])
        self.assertEqual((tv["seconds"][37], tv["wh"][37], tv["wh"][36]), (900, 25, None))
        self.assertEqual(tv["readings"][38], [15, 0])
        self.assertEqual(tv["time_uncertain"][38], True)
        self.assertEqual(tv["received"][38:44], [True, False, False, False, False, True])
        self.assertEqual(rows[1]["states"], ["unknown"] * 96)
        self.assertEqual(rows[1]["received"], [False] * 96)

        text = self.ok("usage", 1, "2026-01-31")
        line = [l for l in text.splitlines() if l.startswith("テレビ")]
        self.assertEqual(line[0].split()[1:], ["...."] * 9 + [".#?-", "---.", "...."])
        self.assertIn("判定不能", text)
        self.assertIn("ON 1  OFF 90  unknown 1  not received 4  in use 0:15 h  25 Wh", line[2])

        wide = self.ok("usage", 1, "2026-01-31", "--wide").splitlines()
        self.assertEqual(wide[0].split(), ["2026-01-31"] + [f"{h:02}:{m:02}" for h in range(24) for m in (0, 15, 30, 45)])
        cells = wide[1].split()
        self.assertEqual(cells[0], "テレビ")
        self.assertEqual(cells[1:][36:40], ["OFF", "ON", "判定不能", "判定不能"])
        self.assertEqual(len(cells), 97)

    def test_removed_appliances_keep_their_days(self):
        self.a_watched_home()
        self.store_day(1, 20484, OFF_DAY)
        self.ok("appliance", "remove", 1, 1)
        labels = {r["label"]: r["removed"] for r in self.json("usage", 1, "2026-01-31")}
        self.assertEqual(labels, {"テレビ": True, "炊飯器": False})
        self.assertEqual([r["label"] for r in self.json("usage", 1, "2026-03-31")], ["炊飯器"])

    def test_wrong(self):
        self.a_home()
        for date in ("2026-02-30", "31.1.2026", "2026-1-31", "today", "1969-12-31"):
            self.wrong("usage", 1, date, says="date of the calendar")
        self.wrong("usage", 2, "2026-01-31", says="no home")
        self.wrong("usage", 1, "2026-01-31", "--json", "--wide", says="one of them")

    def test_broken_day_is_told(self):
        self.a_watched_home()
        self.store_day(1, 20484, b"\x01\xff")
        self.assertIn("day row", self.wrong("usage", 1, "2026-01-31", code=1))


class Facts(Case):
    def with_facts(self):
        self.a_watched_home()
        db = self.db()
        slot = 20484 * 96
        db.execute("INSERT INTO day VALUES (1, 1, 20484, ?)", (OFF_DAY,))
        db.execute("INSERT INTO gateway_state VALUES ('box-1', 7, 12, 1769828000000, '0.1.0-marker', 2)")
        db.execute("INSERT INTO line VALUES ('box-1', 1769820000000, 1, 1769820000000), ('box-1', 1769828000000, 2, 1769828090000)")
        db.execute("INSERT INTO event VALUES ('box-1', 7, 1, 1, 0, 1769820000000)")
        db.execute("INSERT INTO device (home, device, appliance, since_ms) VALUES (1, 'devicemarker/060201', 1, 0)")
        db.execute("INSERT INTO device_fault VALUES (1, 'devicemarker/060201', 5, 1, 0, 1)")
        db.execute("INSERT INTO day_broken VALUES (1, 1, 3, x'00')")
        db.execute("INSERT INTO recount VALUES (1, 1, 20484 * 96)")
        db.execute("INSERT INTO episode (home, kind, appliance, since_slot, last_use_slot, off_slots, unknown_slots, cause, "
                   "opened_ms) VALUES (1, 1, 1, ?, ?, 288, 4, 0, 1769828000000)", (slot - 300, slot - 301))
        db.execute("INSERT INTO episode (home, kind, appliance, since_slot, off_slots, unknown_slots, cause, opened_ms, "
                   "closed_ms, closed_by_slot) VALUES (1, 3, 0, ?, 0, 0, 1, 1769700000000, 1769710000000, ?)",
                   (slot - 900, slot - 800))
        for state, since, error in ((2, 1, ""), (3, 2, "550 no"), (1, 3, "")):
            db.execute("INSERT INTO mail (home, kind, appliance, since_slot, edge, contact, state, urgent, queued_ms, not_before_ms, "
                       "attempts, subject, body, message_id, last_error) VALUES (1, 1, 1, ?, 1, 1, ?, 0, 1769828000000, "
                       "1769828000000, 5, 'subjectmarker', 'bodymarker', 'm@example.org', ?)", (since, state, error))
        db.execute("DELETE FROM day_broken")
        db.execute("INSERT INTO guard_accounts VALUES (1, '0ACC0', ?, 0, 1769820000000)", (KEY,))
        db.close()

    def test_status(self):
        self.with_facts()
        text = self.ok("status")
        for piece in ("DOWN since 2026-01-31 11:53", "configuration 2 (to be 3)", "last slot   2026-02-01 08:45", "1 open",
                      "1 queued, 1 failed", "on since 2026-01-31 12:00"):
            self.assertIn(piece, text)
        one = self.json("status", 1)[0]
        self.assertEqual((one["alerts_open"], one["mails_queued"], one["mails_failed"], one["config_version"]), (1, 1, 1, 3))
        self.assertEqual(one["gateways"][0]["line"], "down")
        self.assertEqual(one["gateways"][0]["since"], "2026-01-31T02:53:20.000Z")
        self.assertEqual(one["last_slot"], 20484 * 96 + 95)
        self.wrong("status", "nobody", says="no home")

    def test_alerts(self):
        self.with_facts()
        self.assertEqual([a["kind"] for a in self.json("alerts")], ["unused"])
        both = self.json("alerts", 1, "--all")
        self.assertEqual([a["kind"] for a in both], ["blind_provider", "unused"])
        self.assertEqual((both[0]["cause"], both[0]["closed"]), ("line_down", "2026-01-29T18:06:40.000Z"))
        self.assertEqual((both[1]["label"], both[1]["off_slots"], both[1]["closed"]), ("テレビ", 288, None))
        self.assertIn("テレビ", self.ok("alerts"))

    def test_mails(self):
        self.with_facts()
        self.assertEqual([m["state"] for m in self.json("mail", "list")], ["queued", "failed", "sent"])
        failed = self.json("mail", "list", "--state", "failed")
        self.assertEqual((failed[0]["mail"], failed[0]["error"]), (2, "550 no"))
        self.wrong("mail", "list", "--state", "lost", says="queued, sent, failed or cancelled")
        self.wrong("mail", "retry", says="--failed")
        self.wrong("mail", "retry", 1, says="not one that failed")
        self.assertIn("1 mail queued", self.ok("mail", "retry", 2))
        self.assertEqual(self.sql("SELECT state, attempts, not_before_ms FROM mail WHERE id = 2"), [(1, 0, 1769828400000)])
        self.assertIn("0 mails queued", self.ok("mail", "retry", "--failed"))
        self.ok("watch", "off", 1)
        self.ok("contact", "remove", 1)
        self.assertEqual([m["state"] for m in self.json("mail", "list")], ["cancelled", "cancelled", "sent"])

    def test_backup_and_restore(self):
        self.with_facts()
        copy = self.root / "copy.db"
        self.ok("backup", copy)
        self.assertEqual(stat.S_IMODE(copy.stat().st_mode), 0o600)
        self.wrong("backup", copy, says="exists already")
        self.ok("home", "change", 1, "--name", "changed since")
        held = self.db()
        held.execute("SELECT count(*) FROM home").fetchall()
        self.wrong("restore", copy, says="stop the relay")
        held.close()
        with Relay(self):
            self.wrong("restore", copy, says="stop it first")
        self.ok("restore", copy)
        self.assertEqual(self.json("home", "list")[0]["name"], "田中 松江")
        self.assertEqual(len(list(self.dir.glob("relay.db.before-restore-*"))), 1)
        self.ok("check")
        (self.root / "text").write_text("not a database " * 100)
        self.assertNotEqual(self.run_ctl("restore", self.root / "text").returncode, 0)
        other = sqlite3.connect(self.root / "other.db")
        other.execute("CREATE TABLE t (x)")
        other.commit()
        other.close()
        self.wrong("restore", self.root / "other.db", says="not a backup")
        self.wrong("restore", self.root / "none", says="no such file")
        self.assertEqual(self.json("home", "list")[0]["name"], "田中 松江")

    def test_export_and_erase_without_a_trace(self):
        self.with_facts()
        self.ok("home", "add", "neighbour")
        self.ok("contact", "add", 2, "--name", "n", "--mail", "stays@example.org")
        out = self.root / "export"
        self.ok("export", 1, out)
        kinds = {p.name for p in out.iterdir()}
        self.assertEqual(kinds, {f"{t}.jsonl" for t in ("home", "gateway", "gateway_state", "line", "event", "appliance", "contact",
                                                       "day", "device", "device_fault", "episode", "mail", "recount", "guard_accounts")})
        for p in out.iterdir():
            self.assertEqual(stat.S_IMODE(p.stat().st_mode), 0o600)
            rows = [json.loads(line) for line in p.read_text().splitlines()]
            self.assertGreater(len(rows), 0, p.name)
            self.assertNotIn(KEY, p.read_text())
        account = json.loads((out / "guard_accounts.jsonl").read_text())
        self.assertEqual((account["account"], account["key_hex"]), ("0ACC0", "set"))
        days = [json.loads(line) for line in (out / "day.jsonl").read_text().splitlines()]
        self.assertEqual(sum(r.count("off") for r in (d["states"] for d in days)), 96)
        self.wrong("export", 1, out, says="exists already")

        self.wrong("erase", 1, says="--yes")
        self.assertEqual(len(self.json("home", "list")), 2)
        running = self.db()  # the relay has the file open meanwhile
        running.execute("SELECT count(*) FROM day").fetchall()
        self.ok("erase", 1, "--yes")
        self.assertEqual([h["home"] for h in self.json("home", "list")], [2])
        remains = b"".join(p.read_bytes() for p in self.dir.glob("relay.db*"))
        for trace in ("hanako.marker", "花子", "田中", "テレビ", "炊飯器", "box-1", "subjectmarker", "bodymarker", "devicemarker",
                      "0.1.0-marker", KEY, "0ACC0"):
            self.assertNotIn(trace.encode(), remains, trace)
        self.assertNotIn(OFF_DAY, remains)
        self.assertIn(b"stays@example.org", remains)
        self.ok("check")
        self.wrong("erase", 1, "--yes", says="no home")

    def test_every_table_is_exported_and_erased_or_general(self):
        self.with_facts()
        self.sql("INSERT INTO day_broken VALUES (1, 1, 3, x'00')")
        before = {name for (name,) in self.sql("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")}
        full = {t for t in before if self.sql(f"SELECT count(*) FROM {t}")[0][0] > 0}
        self.assertEqual(before - full, {"alive"})  # the test fills every table, so that a new one is noticed here
        self.ok("erase", 1, "--yes")
        left = {t for t in before if self.sql(f"SELECT count(*) FROM {t}")[0][0] > 0}
        self.assertEqual(left, {"setting"})

    def test_check(self):
        self.with_facts()
        self.assertIn("whole: 1 homes", self.ok("check"))
        self.ok("check", "--scrub")
        self.sql("INSERT INTO day_broken VALUES (1, 1, 3, x'00')")
        self.wrong("check", says="1 days could not be read", code=1)
        self.sql("DELETE FROM day_broken")
        self.sql("PRAGMA user_version = 99")
        self.wrong("check", says="schema 99", code=1)


if __name__ == "__main__":
    unittest.main(verbosity=1)
