"""Goal: the verbs of tomoshibi-ctl for the guard centre (accounts, drills, visits, presses) do what they say and refuse what is
wrong.

    guard_test.py PATH-TO-tomoshibi-ctl
"""
import stat
import subprocess
import unittest

from ctl_fixture import CTL, KEY, Case, Relay


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
