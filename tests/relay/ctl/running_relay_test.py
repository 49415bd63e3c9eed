"""Goal: tomoshibi-ctl tells a running relay of changes, and waits for what it does with a mail.

    running_relay_test.py PATH-TO-tomoshibi-ctl
"""
import socket
import unittest

from ctl_fixture import Case, Relay


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


if __name__ == "__main__":
    unittest.main(verbosity=1)
