"""Goal: the verbs of tomoshibi-ctl for homes, their contacts and the watch over them do what they say and refuse what is wrong.

    home_test.py PATH-TO-tomoshibi-ctl
"""
import unittest

from ctl_fixture import Case


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


if __name__ == "__main__":
    unittest.main(verbosity=1)
