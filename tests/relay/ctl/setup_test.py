"""Goal: tomoshibi-ctl makes the relay's folder and certificate once and rightly; every verb has a help and refuses a wrong line.

    setup_test.py PATH-TO-tomoshibi-ctl
"""
import os
import re
import stat
import subprocess
import unittest

from ctl_fixture import CTL, Case


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

    def test_renew_mends_a_certificate_of_another_key(self):
        self.a_home()
        own_folder, self.dir = self.dir, self.root / "other"
        self.a_home()
        other, self.dir = self.dir, own_folder
        (self.dir / "relay.pem").write_bytes((other / "relay.pem").read_bytes())
        self.ok("certificate", "show")
        self.ok("certificate", "renew")
        key = subprocess.run(["openssl", "pkey", "-in", self.dir / "relay-key.pem", "-pubout"], capture_output=True, check=True).stdout
        own = subprocess.run(["openssl", "x509", "-in", self.dir / "relay.pem", "-pubkey", "-noout"], capture_output=True, check=True)
        self.assertEqual(own.stdout, key)

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


if __name__ == "__main__":
    unittest.main(verbosity=1)
