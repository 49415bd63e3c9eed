"""Goal: every verb of tomoshibi-ctl does what its help says, and every wrong input is refused with exit code 2 and a sentence
that names what is allowed, leaving everything as it was.

    ctl_test.py PATH-TO-tomoshibi-ctl

Facts that a relay would store (slots, alerts, mails) are written with the sqlite3 module; the relay's control socket is
played by a thread.
"""
import json
import os
import pathlib
import re
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import unittest

CTL = sys.argv.pop(1)
NOW = "2026-01-31T03:00:00Z"  # noon in Japan
KEY = "00112233445566778899aabbccddeeff"
OFF_DAY = bytes.fromhex("01c10f0f5f")  # 96 slots OFF, 15 of 15 readings


class Case(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="tomoshibi-ctl-")
        self.addCleanup(self.scratch.cleanup)
        self.root = pathlib.Path(self.scratch.name)
        self.dir = self.root / "relay"

    def run_ctl(self, *arguments, now=NOW):
        command = [CTL, "--dir", str(self.dir), "--now", now, *map(str, arguments)]
        environment = {k: v for k, v in os.environ.items() if k != "TOMOSHIBI_DIR"}
        return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=self.root, timeout=60)

    def ok(self, *arguments, **options):
        done = self.run_ctl(*arguments, **options)
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        return done.stdout

    def wrong(self, *arguments, says="", code=2):
        done = self.run_ctl(*arguments)
        self.assertEqual(done.returncode, code, done.stderr + done.stdout)
        self.assertIn(says, done.stderr)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def json(self, *arguments):
        return [json.loads(line) for line in self.ok(*arguments, "--json").splitlines()]

    def db(self):
        connection = sqlite3.connect(self.dir / "relay.db", isolation_level=None)
        self.addCleanup(connection.close)
        return connection

    def sql(self, text, *values):
        connection = sqlite3.connect(self.dir / "relay.db", isolation_level=None)
        try:
            return connection.execute(text, values).fetchall()
        finally:
            connection.close()

    def config_version(self, home=1):
        return self.sql("SELECT config_version FROM home WHERE id = ?", home)[0][0]

    def a_home(self):
        self.ok("init", "--name", "relay.example.org", "--name", "192.0.2.7")
        self.ok("home", "add", "田中 松江")

    def a_watched_home(self):
        self.a_home()
        self.ok("gateway", "add", 1, "box-1")
        self.ok("gateway", "enrol", "box-1", "--out", self.root / "box")
        self.ok("appliance", "add", 1, "テレビ", "--class", "tv")
        self.ok("appliance", "add", 1, "炊飯器", "--class", "energy", "--on", "watts:15", "--no-rule")
        self.ok("contact", "add", 1, "--name", "花子", "--mail", "hanako.marker@example.org")
        self.ok("watch", "on", 1)


class Init(Case):
    def test_makes_everything_once(self):
        out = self.ok("init", "--name", "relay.example.org", "--name", "192.0.2.7")
        self.assertIn("relay.example.org", out)
        self.assertEqual({p.name for p in self.dir.iterdir()},
                         {"ca.pem", "ca-key.pem", "relay.pem", "relay-key.pem", "relay.toml", "relay.db"})
        for name in ("ca-key.pem", "relay-key.pem", "relay.db"):
            self.assertEqual(stat.S_IMODE((self.dir / name).stat().st_mode), 0o600, name)
        self.assertEqual(stat.S_IMODE(self.dir.stat().st_mode), 0o700)
        self.assertNotIn("PRIVATE", out)
        before = (self.dir / "ca.pem").read_text()
        self.wrong("init", says="not empty")
        self.assertEqual((self.dir / "ca.pem").read_text(), before)

    def test_folder_as_argument(self):
        other = self.root / "elsewhere/deep"
        self.ok("init", other)
        self.assertTrue((other / "relay.db").exists())
        self.assertFalse(self.dir.exists())

    def test_wrong(self):
        self.wrong("init", "--name", "bad name", says="host name or IP address")
        self.assertFalse(self.dir.exists())

    def test_everything_else_needs_it(self):
        for verb in (["home", "list"], ["status"], ["check"], ["alerts"], ["mail", "list"], ["usage", 1, "2026-01-31"]):
            self.wrong(*verb, says="init")


class Usage(Case):
    def test_help_of_every_verb(self):
        top = subprocess.run([CTL, "--help"], capture_output=True, text=True)
        self.assertEqual(top.returncode, 0)
        self.assertIn("Exit codes", top.stdout)
        for verb in ("init", "usage", "status", "alerts", "backup", "restore", "export", "erase", "check", "home add", "home list",
                     "home show", "home change", "home remove", "gateway add", "gateway list", "gateway enrol",
                     "gateway revoke", "gateway remove", "device list", "device forget", "certificate show", "certificate renew",
                     "appliance add", "appliance list", "appliance change",
                     "appliance remove", "contact add", "contact list", "contact change", "contact remove", "watch on",
                     "watch off", "mail test", "mail list", "mail retry", "guard set", "guard show", "guard remove",
                     "guard test", "drill", "dispatch", "emergency list", "emergency show", "emergency report"):
            done = subprocess.run([CTL, *verb.split(), "--help"], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, verb)
            self.assertIn("Usage:", done.stdout, verb)

    def test_wrong_usage(self):
        for arguments in ([], ["nothing"], ["home"], ["home", "add"], ["home", "add", "a", "b"], ["home", "list", "--nothing"],
                          ["usage", "1"], ["home", "list", "extra"]):
            self.wrong(*arguments)
        self.wrong("statsu", says="no such verb: 'statsu'")
        self.wrong("watch", "onn", "1", says="no such verb: 'onn'; see: tomoshibi-ctl watch --help")
        self.wrong("home", "add", "a", "--zome", "Z", says="no such option: '--zome'; see: tomoshibi-ctl home add --help")
        self.wrong("home", "add", says="tomoshibi-ctl: NAME is required; see: tomoshibi-ctl home add --help")
        self.wrong("home", "add", "田中", "松江", says="one word too many: '松江' (a name with blanks needs quotes); see: tomoshibi-ctl home add")
        self.wrong("emergency", "report", "2026-11-01", "2026-11-20", says="one word too many: '2026-11-20'")
        self.wrong(says="tomoshibi-ctl: a verb is missing; see: tomoshibi-ctl --help")
        self.assertRegex(self.ok("--version"), r"^tomoshibi-ctl \d+\.\d+\.\d+\n$")
        self.assertIn("UTC time", self.run_ctl("home", "list", now="yesterday").stderr)

    def test_broken_configuration_is_named(self):
        self.a_home()
        (self.dir / "relay.toml").write_text("[device]\nporrt = 1\n")
        self.assertIn("relay.toml:2", self.wrong("home", "list"))


class Homes(Case):
    def test_add_list_show_change_remove(self):
        self.a_home()
        self.ok("home", "add", "Lisbon", "--zone=-01:00", "--blind-family", "12h", "--blind-provider", "90m", "--poll", 30)
        self.assertEqual([(h["name"], h["zone"], h["watch"]) for h in self.json("home", "list")],
                         [("田中 松江", "+09:00", False), ("Lisbon", "-01:00", False)])
        shown = self.ok("home", "show", "Lisbon")
        for piece in ("home 2  Lisbon", "-01:00", "12h", "90m", "poll 30 s"):
            self.assertIn(piece, shown)
        version = self.config_version(2)
        self.ok("home", "change", 2, "--name", "Porto")
        self.assertEqual(self.config_version(2), version)
        self.ok("home", "change", "Porto", "--poll", 60, "--gap", 200)
        self.assertEqual(self.config_version(2), version + 1)
        self.assertIn("gap 200 s", self.ok("home", "show", 2))
        self.ok("home", "remove", 2)
        self.assertNotIn("Porto", self.ok("home", "list"))
        self.ok("home", "add", "Faro")
        self.assertEqual(self.json("home", "list")[1]["home"], 3)  # never a number twice

    def test_wrong(self):
        self.a_home()
        self.wrong("home", "add", "田中 松江", says="already has this name")
        self.wrong("home", "add", "", says="1 to 80 bytes")
        self.wrong("home", "add", "x" * 81, says="1 to 80 bytes")
        self.wrong("home", "add", "a\r\nBcc: x@example.org", says="without control characters")
        self.wrong("home", "add", "a\u202eb", says="UTF-8")
        for zone in ("+09:07", "9", "+15:00", "-12:15", "JST"):
            self.wrong("home", "add", "b", f"--zone={zone}", says="steps of 15 minutes")
        for name, value in (("--poll", 0), ("--poll", 901), ("--poll", "x"), ("--gap", 59), ("--gap", 3601),
                            ("--blind-family", "44m"), ("--blind-family", "31d"), ("--blind-provider", "1")):
            self.wrong("home", "add", "b", name, value, says=name)
        self.assertEqual(len(self.json("home", "list")), 1)
        self.wrong("home", "show", 9, says="no home '9'")
        self.wrong("home", "change", 1, says="nothing to change")
        self.ok("gateway", "add", 1, "box-1")
        self.wrong("home", "remove", 1, says="remove them first")


class Gateways(Case):
    def test_enrol_revoke_remove(self):
        self.a_home()
        self.ok("gateway", "add", 1, "box-1")
        box = self.root / "box"
        out = self.ok("gateway", "enrol", "box-1", "--out", box, "--relay", "192.0.2.7:443")
        self.assertNotIn("PRIVATE", out)
        self.assertEqual({p.name for p in box.iterdir()}, {"gateway.toml", "ca.pem", "gateway.pem", "gateway.key"})
        self.assertEqual(stat.S_IMODE((box / "gateway.key").stat().st_mode), 0o600)
        self.assertIn('"192.0.2.7:443"', (box / "gateway.toml").read_text())
        verified = subprocess.run(["openssl", "verify", "-attime", "1769828400", "-CAfile", box / "ca.pem", box / "gateway.pem"],
                                  capture_output=True, text=True)
        self.assertEqual(verified.returncode, 0, verified.stderr)
        subject = subprocess.run(["openssl", "x509", "-in", box / "gateway.pem", "-noout", "-subject", "-fingerprint", "-sha256"],
                                 capture_output=True, text=True).stdout
        self.assertIn("box-1", subject)
        fingerprint = subject.split("=")[-1].strip().replace(":", "").lower()
        self.assertEqual(self.sql("SELECT certificate_sha256 FROM gateway")[0][0], fingerprint)
        self.assertEqual(self.json("gateway", "list")[0]["state"], "enrolled")

        self.wrong("gateway", "enrol", "box-1", "--out", self.root / "box2", says="--again")
        self.wrong("gateway", "enrol", "box-1", "--again", "--out", box, says="exists already")
        self.ok("gateway", "enrol", "box-1", "--again", "--out", self.root / "box2")
        self.assertIn('"relay.example.org:8443"', (self.root / "box2/gateway.toml").read_text())
        self.assertNotEqual(self.sql("SELECT certificate_sha256 FROM gateway")[0][0], fingerprint)

        self.ok("gateway", "revoke", "box-1")
        self.assertIn("already", self.ok("gateway", "revoke", "box-1"))
        self.assertEqual(self.json("gateway", "list")[0]["state"], "revoked")
        self.wrong("gateway", "enrol", "box-1", "--again", "--out", self.root / "box3", says="is revoked")
        self.ok("gateway", "add", 1, "box-2")
        self.ok("gateway", "remove", "box-1")
        self.assertEqual([g["gateway"] for g in self.json("gateway", "list")], ["box-2"])

    def test_wrong(self):
        self.a_home()
        for name in ("Box", "-a", "a b", "x" * 33, "a_b"):
            self.wrong("gateway", "add", "1", "--", name, says="a-z, 0-9")
        self.wrong("gateway", "add", 7, "box-1", says="no home")
        self.ok("gateway", "add", 1, "box-1")
        self.wrong("gateway", "add", 1, "box-2", says="a home has one")
        self.ok("home", "add", "other")
        self.wrong("gateway", "add", 2, "box-1", says="a gateway of this name")
        for relay in ("a b", "host:0", "host:65536", "host\n", ""):
            self.wrong("gateway", "enrol", "box-1", "--relay", relay, says="--relay")
        self.wrong("gateway", "enrol", "box-1", "--days", 0, says="1 to 7300")
        self.wrong("gateway", "revoke", "nobody", says="no gateway")
        self.assertFalse((self.root / "box-1").exists())

    def test_no_ca_key(self):
        self.a_home()
        self.ok("gateway", "add", 1, "box-1")
        (self.dir / "ca-key.pem").unlink()
        self.assertNotEqual(self.run_ctl("gateway", "enrol", "box-1").returncode, 0)
        self.assertFalse((self.root / "box-1").exists())
        self.assertEqual(self.json("gateway", "list")[0]["state"], "not enrolled")


class Appliances(Case):
    def test_add_list_change_remove(self):
        self.a_home()
        expected = {"tv": "operation", "rice-cooker": "operation", "microwave": "operation", "refrigerator": "operation",
                    "motion": "sensor", "door": "sensor", "switch": "operation", "0x0130": "operation",
                    "0x013502": "operation"}
        version = self.config_version()
        for name in expected:
            self.ok("appliance", "add", 1, name, "--class", name)
        self.assertEqual(self.config_version(), version + len(expected))
        listed = {a["label"]: a for a in self.json("appliance", "list", 1)}
        self.assertEqual({k: v["on"] for k, v in listed.items()}, expected)
        self.assertEqual(listed["tv"]["days"], 3)
        self.assertEqual(listed["0x0130"]["class"], "0x013000")
        version = self.config_version()
        self.ok("appliance", "change", 1, "tv", "--days", 2)  # the relay's rule: nothing new for the gateway
        self.assertEqual(self.config_version(), version)
        node = "FE" + "0" * 31 + "1"
        self.ok("appliance", "change", 1, "tv", "--label", "テレビ", "--on", "watts:12", "--node", node, "--no-rule")
        self.assertEqual(self.config_version(), version + 1)
        changed = self.json("appliance", "list", 1)[0]
        self.assertEqual((changed["label"], changed["on"], changed["node"], changed["days"]),
                         ("テレビ", "watts:12", node.lower(), None))
        self.ok("appliance", "remove", 1, "0x013502")
        self.ok("appliance", "add", 1, "again", "--class", "tv", "--node", "ip:192.0.2.9")
        self.assertEqual(self.json("appliance", "list", 1)[-1]["appliance"], len(expected) + 1)

    def test_wrong(self):
        self.a_home()
        add = ("appliance", "add", 1)
        self.wrong(*add, "a", says="--class")
        for value in ("television", "0x06", "0x060g", "0x0ef0", "0x0000", "0602"):
            self.wrong(*add, "a", "--class", value, says="rice-cooker")
        self.wrong(*add, "a", "--class", "energy", says="watts:N")
        for value in ("on", "watts", "watts:", "watts:-1", "watts:x"):
            self.wrong(*add, "a", "--class", "tv", "--on", value, says="--on")
        for value in (0, 61, "three"):
            self.wrong(*add, "a", "--class", "tv", "--days", value, says="1 to 60")
        self.wrong(*add, "a", "--class", "tv", "--days", 3, "--no-rule", says="contradict")
        for value in ("xyz", "ip:", "ip:host", "0" * 33):
            self.wrong(*add, "a", "--class", "tv", "--node", value, says="0x83")
        self.wrong(*add, "あ" * 17, "--class", "tv", says="1 to 48 bytes")
        self.assertEqual(self.json("appliance", "list", 1), [])
        for n in range(32):
            self.ok(*add, f"a{n}", "--class", "tv", "--node", f"ip:192.0.2.{n + 1}")
        self.wrong(*add, "one more", "--class", "tv", says="32 appliances")
        self.wrong("appliance", "change", 1, "a1", says="nothing to change")
        self.wrong("appliance", "change", 1, "nobody", "--days", 2, says="no appliance")
        self.wrong("appliance", "change", 1, "a1", "--label", "a2", says="choose another")

    def test_contradictions_are_refused(self):
        self.a_home()
        add = ("appliance", "add", 1)
        self.ok(*add, "hall", "--class", "motion")
        self.wrong(*add, "hall", "--class", "door", says="has this label")
        self.wrong(*add, "kitchen", "--class", "motion", says="would count for both")
        self.wrong(*add, "kitchen", "--class", "0x000702", says="would count for both")
        self.wrong(*add, "front", "--class", "door", "--on", "watts:5", says="measures no watts")
        self.ok(*add, "kitchen", "--class", "motion", "--node", "ip:192.0.2.7")
        self.wrong("appliance", "change", 1, "kitchen", "--node", "any", says="would count for both")
        self.wrong("appliance", "change", 1, "hall", "--on", "watts:5", says="measures no watts")
        self.ok("appliance", "change", 1, "hall", "--days", 2)  # nothing to do with the others
        self.ok("home", "add", "another")
        self.ok("appliance", "add", 2, "hall", "--class", "motion")


class Devices(Case):
    def test_list(self):
        self.a_home()
        self.assertIn("no device", self.ok("device", "list", 1))
        self.ok("appliance", "add", 1, "テレビ", "--class", "tv")
        node = "fe000077" + "0" * 25 + "1"
        self.sql("INSERT INTO device (home, device, appliance, maker, silent, faulty, description, since_ms) VALUES "
                 f"(1, '{node}/060201', 1, 119, 0, 0, 0, 1769847300000), (1, 'ip:192.0.2.9/013001', NULL, 0, 1, 1, 17, 1769847300000)")
        first, second = self.json("device", "list", 1)
        self.assertEqual(first, {"home": 1, "node": node, "class": "tv instance 1", "maker": 119, "silent": False,
                                 "since": "2026-01-31T08:15:00.000Z", "faulty": False, "fault": None, "appliance": 1, "label": "テレビ"})
        self.assertEqual((second["class"], second["silent"], second["fault"], second["appliance"]), ("0x013001", True, 17, None))
        text = self.ok("device", "list", 1)
        self.assertRegex(text, "SILENT since 2026-01-31 17:15 +FAULT 17 +nothing")
        self.assertRegex(text, "answers since 2026-01-31 17:15 +none +1 テレビ")
        self.ok("appliance", "change", 1, "テレビ", "--node", first["node"])  # what is listed can be given back
        self.wrong("device", "list", 2, says="no home")

    def test_forget(self):
        self.a_home()
        self.ok("home", "add", "another")
        rows = [(1, "ip:192.0.2.9/013001"), (1, "ip:192.0.2.9/060201"), (1, "ip:192.0.2.90/013001"),
                (2, "ip:192.0.2.9/013001"), (1, "%/013001")]
        for home, device in rows:
            self.sql("INSERT INTO device (home, device, maker, silent, faulty, description, since_ms) "
                     f"VALUES ({home}, '{device}', 0, 0, 1, 1, 0)")
        for name in ("", "ip:192.0.2", "ip:192.0.2.9/", "ip:192.0.2.9/01300", "013001", "_p:192.0.2.9"):
            self.wrong("device", "forget", 1, name, says="device list 1")
        self.wrong("device", "forget", 3, "ip:192.0.2.9", says="no home")
        self.wrong("device", "forget", 1)
        self.assertIn("1 device forgotten", self.ok("device", "forget", 1, "ip:192.0.2.9/013001"))
        self.assertIn("1 device forgotten", self.ok("device", "forget", 1, "ip:192.0.2.9"))
        self.assertIn("1 device forgotten", self.ok("device", "forget", 1, "%"))
        self.assertEqual([d["node"] for d in self.json("device", "list", 1)], ["ip:192.0.2.90"])
        self.assertEqual([d["node"] for d in self.json("device", "list", 2)], ["ip:192.0.2.9"])


class Certificates(Case):
    def test_renew(self):
        self.a_home()
        shown = self.ok("certificate", "show")
        self.assertIn("for relay.example.org", shown)
        before = {name: (self.dir / name).read_bytes() for name in ("relay.pem", "relay-key.pem", "ca.pem", "ca-key.pem")}
        self.assertIn("systemctl reload", self.ok("certificate", "renew", "--days", 30))
        after = {name: (self.dir / name).read_bytes() for name in before}
        self.assertEqual([n for n in before if before[n] != after[n]], ["relay.pem"])
        self.check_certificate("relay.example.org")
        self.assertIn("for relay.example.org", self.ok("certificate", "show"))
        self.ok("certificate", "renew", "--name", "other.example.org", "--name", "192.0.2.7", "--name", "2001:db8::7")
        names = re.search("for (.*)", self.ok("certificate", "show")).group(1)
        self.assertEqual(sorted(names.split(", ")), ["192.0.2.7", "2001:db8::7", "other.example.org"])
        self.check_certificate("other.example.org")
        self.wrong("certificate", "renew", "--name", "not a name", says="host name")
        self.wrong("certificate", "renew", "--days", 0, says="1 to 7300")
        (self.dir / "ca-key.pem").unlink()
        self.wrong("certificate", "renew", says="ca-key.pem")

    def check_certificate(self, name):
        done = subprocess.run(["openssl", "verify", "-attime", "1769847300", "-verify_hostname", name, "-CAfile", self.dir / "ca.pem",
                               self.dir / "relay.pem"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_gateway_that_would_refuse_the_relay_is_told_of(self):
        self.a_home()
        self.ok("gateway", "add", 1, "box-1")
        said = self.run_ctl("gateway", "enrol", "box-1", "--out", self.root / "a", "--relay", "elsewhere.example.org:443").stderr
        self.assertIn("not for elsewhere.example.org but for relay.example.org", said)
        for i, good in enumerate(("relay.example.org:443", "Relay.Example.ORG", "192.0.2.7:443")):
            said = self.run_ctl("gateway", "enrol", "box-1", "--again", "--out", self.root / str(i), "--relay", good).stderr
            self.assertEqual(said, "")

    def test_configuration_elsewhere(self):
        (self.root / "there.toml").write_text("[log]\nlevel = \"error\"\n")
        self.ok("init", "--config", self.root / "there.toml")
        self.assertEqual(os.readlink(self.dir / "relay.toml"), str(self.root / "there.toml"))
        self.wrong("init", self.root / "second", "--config", self.root / "nowhere.toml", says="no such file")
        self.assertFalse((self.root / "second").exists())

    @unittest.skipIf(os.geteuid() != 0, "only root gives files away")
    def test_what_root_makes_belongs_to_the_folders_owner(self):
        self.dir.mkdir()
        os.chown(self.dir, 12345, 12345)
        self.ok("init")
        self.ok("certificate", "renew")
        self.ok("backup", self.root / "copy.db")
        self.ok("restore", self.root / "copy.db")
        owners = {p.name: (p.lstat().st_uid, p.lstat().st_gid) for p in self.dir.iterdir()}
        self.assertIn("relay.db.lock", owners)
        self.assertEqual(set(owners.values()), {(12345, 12345)}, owners)


class Contacts(Case):
    def test_add_list_change_remove(self):
        self.a_home()
        self.ok("contact", "add", 1, "--name", "花子", "--mail", "hanako@example.org", "--quiet", "22:00-07:00")
        self.ok("contact", "add", "--provider", "--name", "Help", "--mail", "help@example.org", "--lang", "en")
        both = self.json("contact", "list")
        self.assertEqual([(k["home"], k["role"], k["lang"], k["quiet"]) for k in both],
                         [(1, "family", "ja", "22:00-07:00"), (None, "provider", "en", "none")])
        self.assertEqual(len(self.json("contact", "list", 1)), 1)
        self.ok("contact", "change", 1, "--mail", "hanako@example.com", "--quiet", "none", "--lang", "en", "--name", "Hanako")
        self.assertEqual(self.json("contact", "list", 1)[0],
                         {"contact": 1, "home": 1, "role": "family", "name": "Hanako", "mail": "hanako@example.com",
                          "lang": "en", "quiet": "none"})
        self.ok("contact", "remove", 2)
        self.assertEqual(len(self.json("contact", "list")), 1)

    def test_wrong(self):
        self.a_home()
        for address in ("", "a", "a@", "@b.example", "a@b@c.example", "a b@example.org", "a@example.org\r\nBcc: x@example.org",
                        "a@example.org\nX: y", "<a@example.org>", "a@example.org,b@example.org", "名@example.org",
                        "x" * 65 + "@example.org", "a@" + "x" * 64 + ".org", '"a"@example.org', "a@[192.0.2.1]"):
            self.wrong("contact", "add", 1, "--name", "n", "--mail", address, says="--mail")
        good = ("--name", "n", "--mail", "a@example.org")
        for quiet in ("22-7", "22:00", "24:00-07:00", "22:60-07:00", "07:00-07:00", "22:00-25:00"):
            self.wrong("contact", "add", 1, *good, "--quiet", quiet, says="22:00-07:00, or none")
        self.wrong("contact", "add", 1, *good, "--lang", "fr", says="ja or en")
        self.wrong("contact", "add", 1, *good, "--role", "friend", says="family or provider")
        self.wrong("contact", "add", *good, says="--provider")
        self.wrong("contact", "add", 1, "--provider", *good, says="--provider")
        self.wrong("contact", "add", "--provider", *good, "--role", "family", says="belongs to a HOME")
        self.wrong("contact", "add", 1, "--name", "a\nb", "--mail", "a@example.org", says="--name")
        self.assertEqual(self.json("contact", "list"), [])
        self.ok("contact", "add", 1, *good)
        self.wrong("contact", "add", 1, *good, says="already has this address")
        self.wrong("contact", "change", 1, says="nothing to change")
        self.wrong("contact", "change", 5, "--lang", "en", says="no contact")


class Guard(Case):
    """Accounts at the guard centre. The key never comes back out, in no listing, message or export."""

    def key_file(self, text, mode=0o600, name="key"):
        path = self.root / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def stored(self):
        return self.sql("SELECT home, account, key_hex, send_inactivity FROM guard_accounts ORDER BY home")

    def test_set_show_remove(self):
        self.a_home()
        self.assertIn("no home has an account", self.ok("guard", "show"))
        key = self.key_file(KEY.upper() + "\n")
        out = self.ok("guard", "set", 1, "--account", "0a12", "--key-file", key)
        self.assertIn("account 0A12", out)
        self.assertIn("AES-128", out)
        self.assertEqual(self.stored(), [(1, "0A12", KEY, 0)])
        self.ok("guard", "set", "田中 松江", "--send-inactivity")
        self.assertEqual(self.stored(), [(1, "0A12", KEY, 1)])
        self.assertEqual(self.json("guard", "show", 1), [{"home": 1, "name": "田中 松江", "account": "0A12", "key": "AES-128",
                                                          "send_inactivity": True}])
        self.assertNotIn(KEY, self.ok("guard", "show"))
        self.ok("guard", "set", 1, "--no-key", "--no-inactivity")
        self.assertEqual(self.stored(), [(1, "0A12", "", 0)])
        self.wrong("home", "remove", 1, says="guard remove 1")
        self.assertIn("0A12 no more", self.ok("guard", "remove", 1))
        self.assertEqual(self.stored(), [])
        self.ok("home", "remove", 1)

    def test_key_from_standard_input(self):
        self.a_home()
        command = [CTL, "--dir", str(self.dir), "guard", "set", "1", "--account", "ABC", "--key-file", "-"]
        done = subprocess.run(command, input=KEY * 2 + "\r\n", capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn(KEY, done.stdout + done.stderr)
        self.assertEqual(self.stored(), [(1, "ABC", KEY * 2, 0)])

    def test_another_account_does_not_keep_the_key(self):
        self.a_home()
        self.ok("guard", "set", 1, "--account", "0A12", "--key-file", self.key_file(KEY))
        done = self.run_ctl("guard", "set", 1, "--account", "0A13")
        self.assertEqual(done.returncode, 0)
        self.assertIn("the key of account 0A12 is not used", done.stderr)
        self.assertEqual(self.stored(), [(1, "0A13", "", 0)])

    def test_wrong(self):
        self.a_home()
        self.ok("home", "add", "neighbour")
        self.ok("guard", "set", 2, "--account", "0A12")
        good = self.key_file(KEY)
        self.wrong("guard", "set", 1, "--account=", says="--account:")
        for account in ("12", "0" * 17, "12G4", "0x12"):
            self.wrong("guard", "set", 1, f"--account={account}",
                       says="--account: must be the account number that the guard centre gave: 3 to 16 hexadecimal digits")
        self.wrong("guard", "set", 1, "--account", "0a12", says="home 2 has account 0A12 already")
        self.wrong("guard", "set", 1, says="--account: this home has none yet")
        self.wrong("guard", "set", 9, "--account", "0A13", says="no home")
        self.wrong("guard", "set", 1, "--account", "0A13", "--key-file", good, "--no-key", says="not both")
        self.wrong("guard", "set", 1, "--account", "0A13", "--send-inactivity", "--no-inactivity", says="not both")
        self.wrong("guard", "set", 1, "--account", "0A13", "--key-file", self.root / "none", says="No such file")
        for text, says in (("", "nothing in it"), (" \n", "nothing in it"), (KEY[:-2], "32, 48 or 64"), ("secret" * 8, "32, 48 or 64"),
                           (KEY + "\n" + KEY, "more than one line"), ("a" * 2000, "more than 1024")):
            message = self.wrong("guard", "set", 1, "--account", "0A13", "--key-file", self.key_file(text), says=says)
            if len(text) > 2:
                self.assertNotIn(text.strip(), message)
        self.wrong("guard", "set", 1, "--account", "0A13", "--key-file", self.key_file(KEY, 0o644), says="chmod 600")
        self.assertEqual(self.stored(), [(2, "0A12", "", 0)])
        self.wrong("guard", "show", 1, says="no account at the guard centre")
        self.wrong("guard", "remove", 1, says="no account at the guard centre")


class Watch(Case):
    def test_needs_a_family_recipient(self):
        self.a_home()
        self.wrong("watch", "on", 1, says="contact add 1")
        self.ok("contact", "add", 1, "--role", "provider", "--name", "p", "--mail", "p@example.org")
        self.wrong("watch", "on", 1, says="no family contact")
        self.ok("contact", "add", 1, "--name", "f", "--mail", "f@example.org")
        self.ok("watch", "on", 1)
        self.assertEqual(self.sql("SELECT watch_since_ms FROM home")[0][0], 1769828400000)
        self.assertIn("already on", self.ok("watch", "on", 1, now="2026-02-01T00:00:00Z"))
        self.assertEqual(self.sql("SELECT watch_since_ms FROM home")[0][0], 1769828400000)
        self.wrong("contact", "remove", 2, says="nobody of the family")
        self.wrong("contact", "change", 2, "--role", "provider", says="nobody of the family")
        self.ok("watch", "off", 1)
        self.assertIn("already off", self.ok("watch", "off", 1))
        self.ok("contact", "remove", 2)


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


class Relay:
    """Plays the relay's control socket. `on_reload` runs for each reload; `answer` is what it says."""

    def __init__(self, case, answer="ok", on_reload=None, others=None):
        self.others = others or {}
        self.path, self.answer, self.on_reload = case.dir / "relay.sock", answer, on_reload
        self.heard = []

    def __enter__(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        return self

    def serve(self):
        while True:
            connection, _ = self.listener.accept()
            with connection:
                line = connection.makefile().readline().strip()
                if line == "stop":
                    return
                self.heard.append(line)
                if line.split()[0] in self.others:
                    connection.sendall((self.others[line.split()[0]] + "\n").encode())
                    continue
                if line == "reload" and self.on_reload:
                    self.on_reload()
                connection.sendall((self.answer if line == "reload" else "{}").encode() + b"\n")

    def __exit__(self, *_):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(self.path))
            s.sendall(b"stop\n")
        self.thread.join()
        self.listener.close()
        self.path.unlink()


class RunningRelay(Case):
    def test_changes_are_told(self):
        self.a_home()
        with Relay(self) as relay:
            self.ok("home", "list")
            self.assertEqual(relay.heard, [])
            self.ok("home", "add", "b")
            self.ok("appliance", "add", 2, "tv", "--class", "tv")
            self.assertEqual(relay.heard, ["reload", "reload"])

    def test_a_relay_that_does_not_take_it(self):
        self.a_home()
        with Relay(self, answer="error directory"):
            done = self.run_ctl("home", "add", "b")
        self.assertEqual(done.returncode, 0)
        self.assertIn("did not take it: error directory", done.stderr)

    def test_a_socket_left_behind(self):
        self.a_home()
        s = socket.socket(socket.AF_UNIX)
        s.bind(str(self.dir / "relay.sock"))
        s.close()
        done = self.run_ctl("home", "add", "b")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_status_tells_whether_the_relay_runs(self):
        self.a_home()
        self.assertIn("the relay does not run", self.run_ctl("status").stderr)
        with Relay(self) as relay:
            self.assertEqual(self.run_ctl("status").stderr, "")
            self.assertEqual(relay.heard, ["status"])

    def test_mail_test(self):
        self.a_watched_home()
        self.ok("contact", "add", "--provider", "--name", "Help", "--mail", "help@example.org", "--lang", "en")
        self.assertIn("queued", self.ok("mail", "test", 1))
        self.ok("mail", "test", 1)
        self.ok("mail", "test", "help@example.org")
        mails = self.json("mail", "list")
        self.assertEqual([(m["home"], m["contact"], m["kind"]) for m in mails], [(0, 2, "test"), (1, 1, "test"), (1, 1, "test")])
        self.assertEqual(len({m["message_id"] for m in mails}), 3)
        self.assertTrue(all(m["subject"] for m in mails))
        self.wrong("mail", "test", "nobody@example.org", says="no contact has this address")
        self.wrong("mail", "test", "a@b@c", says="CONTACT")
        self.wrong("mail", "test", 9, says="no contact number")
        self.wrong("mail", "test", 1, "--timeout", 0, says="1 to 600")
        self.wrong("mail", "test", 1, "--wait", says="does not run", code=1)

    def test_mail_test_waits(self):
        self.a_watched_home()
        with Relay(self, on_reload=lambda: self.sql("UPDATE mail SET state = 2, attempts = 1")):
            self.assertIn("took it", self.ok("mail", "test", 1, "--wait"))
        with Relay(self, on_reload=lambda: self.sql("UPDATE mail SET attempts = 1, last_error = '550 no' WHERE state = 1")):
            done = self.run_ctl("mail", "test", 1, "--wait")
        self.assertEqual(done.returncode, 1)
        self.assertIn("550 no", done.stderr)
        with Relay(self):
            done = self.run_ctl("mail", "test", 1, "--wait", "--timeout", 1)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no result in 1 s", done.stderr)


class Emergency(Case):
    """What goes to the running relay; what becomes of it there is the relay's tests'."""

    VISIT = ["dispatch", 1, "--who", "花子", "--reason", "no answer"]

    def an_account(self):
        self.a_watched_home()
        key = self.root / "key"
        key.write_text(KEY)
        key.chmod(0o600)
        self.ok("guard", "set", 1, "--account", "0A12", "--key-file", key)

    def test_a_visit_needs_an_account_and_the_whole_name(self):
        self.a_watched_home()
        with Relay(self, others={"dispatch": "error refused told to"}) as relay:
            self.wrong(*self.VISIT, "--confirm", "田中 松江", says="no account at the guard centre; give it one: tomoshibi-ctl guard set 1")
            self.ok("guard", "set", 1, "--account", "0A12")
            relay.heard.clear()
            self.wrong(*self.VISIT, says="--confirm is required")
            for name in ("1", "田中", "田中 松江 ", "yes"):
                self.wrong(*self.VISIT, "--confirm", name, says="nobody was asked")
            self.wrong("dispatch", 1, "--who", "a" * 121, "--reason", "b", "--confirm", "田中 松江", says="--who: 1 to 120")
            for blank in ("", "  ", "\u3000"):
                self.wrong("dispatch", 1, "--who", blank, "--reason", "b", "--confirm", "田中 松江", says="--who: must not be empty")
                self.wrong("dispatch", 1, "--who", "a", "--reason", blank, "--confirm", "田中 松江", says="--reason: must not be empty")
            self.wrong("dispatch", 1, "--who", "a", "--reason", "b\nc", "--confirm", "田中 松江", says="--reason: 1 to 400")
            self.assertEqual(relay.heard, [])
            self.wrong(*self.VISIT, "--confirm", "田中 松江", says="told to")
            hexed = ["dispatch", "1", "花子".encode().hex(), b"no answer".hex()]
            self.assertEqual(relay.heard, [" ".join(hexed)])

    def test_a_home_without_an_account_gets_no_drill(self):
        self.a_watched_home()
        with Relay(self, others={"drill": "ok 00000000000000AB"}) as relay:
            self.wrong("drill", 1, says="no account at the guard centre; give it one: tomoshibi-ctl guard set 1")
            self.assertEqual(relay.heard, [])

    def test_without_a_relay_it_says_so(self):
        self.an_account()
        for verb in (["drill", 1], ["guard", "test"], ["guard", "test", 1], [*self.VISIT, "--confirm", "田中 松江"]):
            self.wrong(*verb, says="the relay does not run", code=1)
        for verb in (["report"], ["list"], ["show", "0123456789abcdef"]):
            self.wrong("emergency", *verb, says="no relay with the emergency part ran here")

    def test_the_relays_refusal_is_passed_on(self):
        self.an_account()
        with Relay(self, others={"drill": "error refused the home's gateway is not connected", "guard-test": "nonsense"}) as relay:
            self.wrong("drill", 1, says="the home's gateway is not connected")
            self.wrong("guard", "test", 1, says="not understood")
            self.assertEqual(relay.heard, ["drill 1", "guard-test 1"])
        with Relay(self, others={"drill": "ok 00000000000000AB"}):
            self.assertIn("drill asked of home 1", self.ok("drill", 1))

    def test_wrong(self):
        self.an_account()
        self.wrong("drill", 9, says="no home")
        self.wrong("drill", 1, "--timeout", 0, says="--timeout: a whole number from 1 to 600")
        self.wrong("guard", "test", 9, says="no home")
        self.wrong("guard", "remove", 9, says="no home")
        for days in (0, -1, 401, "2.5", "1e3", "abc", "2026-11-20", "9" * 30):
            for verb in ("list", "report"):
                self.wrong("emergency", verb, "--days", days, says="--days: a whole number from 1 to 400")
        for home in (9, -1, "", "4294967297", "2026-11-20"):
            for verb in (["drill"], ["emergency", "list"], ["emergency", "report"]):
                self.wrong(*verb, home, says=f"no home '{home}'; see: tomoshibi-ctl home list")
        self.wrong("emergency", "list", 9, says="no home")
        for press in ("12", "zzzzzzzzzzzzzzzz", "0123456789abcdef0"):
            self.wrong("emergency", "show", press, says="16 hexadecimal digits")
        self.ok("home", "add", "neighbour")
        self.wrong("guard", "test", 2, says="no account")
        self.wrong("drill", 2, says="no gateway")

    def test_the_box_gets_its_own_way_to_the_centre(self):
        self.an_account()
        box = self.root / "again"
        enrol = ["gateway", "enrol", "box-1", "--again", "--out", box]
        self.wrong(*enrol, "--guard-direct", "centre.example.net", says="tls://host:port")
        self.wrong(*enrol, "--guard-direct", "tls://centre.example.net:10443", says="[guard] ca")
        (self.root / "centre.pem").write_text("CERTIFICATE OF THE CENTRE\n")
        (self.dir / "relay.toml").write_text(f'[emergency]\nport = 9444\n[guard]\nca = "{self.root}/centre.pem"\nformat = "sia-dcs"\n')
        self.assertFalse(box.exists())
        out = self.ok(*enrol, "--guard-direct", "tls://centre.example.net:10443")
        text = (box / "gateway.toml").read_text()
        for line in ("[emergency]\nport = 9444\n", 'receivers = ["tls://centre.example.net:10443"]', 'account = "0A12"',
                     'account_key = "guard-account.key"', 'ca = "guard-ca.pem"', 'format = "sia-dcs"'):
            self.assertIn(line, text)
        self.assertNotIn(KEY, text + out)
        self.assertEqual((box / "guard-account.key").read_text(), KEY + "\n")
        self.assertEqual(stat.S_IMODE((box / "guard-account.key").stat().st_mode), 0o600)
        self.assertEqual((box / "guard-ca.pem").read_text(), "CERTIFICATE OF THE CENTRE\n")


if __name__ == "__main__":
    unittest.main(verbosity=1)
