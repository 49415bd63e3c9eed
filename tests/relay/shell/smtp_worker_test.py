"""Goal: the relay's mail leaves through a real mail server and is right when read back; every fault of a server has its
documented result; nothing is sent in the clear where encryption is required; no address or password is told.

    smtp_worker_test.py SMTP_SEND_PROGRAM
"""

import email
import email.policy
import json
import pathlib
import ssl
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/support"))
from smtp_fault_server import DROP, HANG, FaultServer  # noqa: E402

SENDER = sys.argv.pop(1)
FROM = "watch@relay.example.org"
TO = "taro@example.org"
SUBJECT = "【ともしび】山田様宅：「テレビ」が3日間使われていません"
BODY = "山田 太郎 様\n\n「山田様宅」の「テレビ」が、3日間使われていません。\n.\n..点で始まる行\n"
PATIENCE_S = 60


def send(port, security="none", user="-", password="-", ca="-", timeout=30, count=1, server="127.0.0.1", body=BODY):
    command = [SENDER, server, str(port), security, user, str(password), str(ca), str(timeout), str(count), FROM, TO, SUBJECT]
    done = subprocess.run(command, input=body, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    return [line.split(" ", 1) for line in done.stdout.splitlines()]


class RealServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.folder = pathlib.Path(cls.scratch.name) / "mail-server"
        subprocess.run([ROOT / "tools/mail-server", "start", cls.folder], check=True, stdout=subprocess.DEVNULL)
        cls.addClassCleanup(subprocess.run, [ROOT / "tools/mail-server", "stop", cls.folder], check=True)
        lines = (cls.folder / "server.env").read_text().split()
        cls.env = dict(line.split("=", 1) for line in lines)
        cls.login = {"user": cls.env["USER_NAME"], "password": cls.folder / "password", "ca": cls.folder / "ca.pem"}

    def kept(self, count):
        # Exim answers when the mail is safe in its spool; the maildir follows at once but not in the same instant.
        for _ in range(1000):
            done = subprocess.run([ROOT / "tools/mail-server", "list", self.folder, "--json"], check=True, capture_output=True)
            mails = json.loads(done.stdout)
            if len(mails) >= count:
                return mails
        self.fail(f"{len(mails)} mails arrived, {count} were sent")

    def drop_kept(self):
        for path in (self.folder / "mail/new").glob("*"):
            path.unlink()

    def test_japanese_mail_over_starttls_with_login(self):
        self.drop_kept()
        self.assertEqual([line[0] for line in send(self.env["PORT"], "starttls", **self.login)], ["ok"])
        mail, = self.kept(1)
        self.assertEqual(mail["subject"], SUBJECT)
        self.assertEqual(mail["body"], BODY)
        self.assertEqual(mail["to"], TO)
        self.assertEqual(mail["message_id"], "<test.0@example.org>")
        self.assertEqual(mail["date"], "Tue, 03 Feb 2026 04:05:06 +0000")
        self.assertEqual(mail["defects"], [])

    def test_ascii_mail_over_tls_keeps_lines_of_dots(self):
        self.drop_kept()
        body = "one\n.\n..two\n"
        self.assertEqual([line[0] for line in send(self.env["TLS_PORT"], "tls", body=body, **self.login)], ["ok"])
        self.assertEqual(self.kept(1)[0]["body"], body)

    def test_a_wrong_password_is_temporary(self):
        wrong = pathlib.Path(self.scratch.name) / "wrong"
        wrong.write_text("not-the-password\n")
        (outcome, text), = send(self.env["PORT"], "starttls", user=self.env["USER_NAME"], password=wrong, ca=self.login["ca"])
        self.assertEqual(outcome, "temporary")
        self.assertNotIn("not-the-password", text)

    def test_a_server_with_a_certificate_we_do_not_know_is_refused(self):
        self.drop_kept()
        (outcome, _), = send(self.env["PORT"], "starttls", user=self.login["user"], password=self.login["password"])
        self.assertEqual(outcome, "temporary")
        self.assertEqual(list((self.folder / "mail/new").glob("*")), [])

    def test_one_connection_carries_several_mails(self):
        self.drop_kept()
        self.assertEqual([line[0] for line in send(self.env["PORT"], "starttls", count=5, **self.login)], ["ok"] * 5)
        self.assertEqual(len({mail["message_id"] for mail in self.kept(5)}), 5)


class Faults(unittest.TestCase):
    def outcome(self, **script):
        with FaultServer(**script) as server:
            (outcome, text), = send(server.port)
            self.assertNotIn("@example.org", text)
            self.assertLessEqual(len(text.encode()), 200)
            return outcome, text, server

    def test_an_accepted_mail(self):
        outcome, _, server = self.outcome()
        self.assertEqual(outcome, "ok")
        mail = email.message_from_bytes(server.mails[0], policy=email.policy.default)
        self.assertEqual(mail["Subject"], SUBJECT)
        self.assertEqual(mail.get_content().replace("\r\n", "\n"), BODY)
        self.assertEqual(mail["To"].addresses[0].display_name, "山田 太郎")

    def test_4xx_is_temporary_at_every_step(self):
        for step in ("greeting", "ehlo", "mail", "rcpt", "data", "text"):
            with self.subTest(step):
                outcome, text, _ = self.outcome(**{step: "451 4.3.0 <taro@example.org> later"})
                self.assertEqual(outcome, "temporary")

    def test_5xx_is_permanent_once_it_is_about_this_mail(self):
        for step in ("mail", "rcpt", "data", "text"):
            with self.subTest(step):
                outcome, text, _ = self.outcome(**{step: "550 5.1.1 <taro@example.org> unknown"})
                self.assertEqual(outcome, "permanent")
                self.assertIn("550 5.1.1", text)

    def test_5xx_to_the_session_is_temporary(self):
        for step in ("greeting", "ehlo"):
            with self.subTest(step):
                self.assertEqual(self.outcome(**{step: "554 not here"})[0], "temporary")

    def test_a_dropped_line_is_temporary_at_every_step(self):
        for step in ("greeting", "ehlo", "mail", "rcpt", "data", "text"):
            with self.subTest(step):
                self.assertEqual(self.outcome(**{step: DROP})[0], "temporary")

    def test_a_lost_answer_leaves_one_mail_that_a_retry_repeats_with_the_same_id(self):
        with FaultServer(text=DROP) as server:
            self.assertEqual(send(server.port)[0][0], "temporary")
            self.assertEqual(send(server.port)[0][0], "temporary")
            ids = [email.message_from_bytes(mail)["Message-ID"] for mail in server.mails]
        self.assertEqual(len(set(ids)), 1)

    def test_a_silent_server_costs_no_more_than_the_timeout(self):
        for step in ("greeting", "rcpt", "text"):
            with self.subTest(step), FaultServer(**{step: HANG}) as server:
                self.assertEqual(send(server.port, timeout=1)[0][0], "temporary")

    def test_nobody_listens(self):
        with FaultServer() as server:
            port = server.port
        self.assertEqual(send(port)[0][0], "temporary")

    def test_a_server_that_hangs_up_after_each_mail(self):
        """A hang-up that crosses the next mail on its way is a temporary failure, which the queue tries again; nothing is called
        sent that the server has not, nor lost, nor given up."""
        with FaultServer(close_after_mail=True) as server:
            said = [line[0] for line in send(server.port, count=3)]
            self.assertEqual(said[0], "ok")
            self.assertLessEqual(set(said), {"ok", "temporary"})
            self.assertEqual(len(server.mails), said.count("ok"))
            self.assertEqual(send(server.port)[0][0], "ok")

    def test_connection_is_kept_for_several_mails(self):
        with FaultServer() as server:
            self.assertEqual([line[0] for line in send(server.port, count=3)], ["ok"] * 3)
            self.assertEqual(server.sessions, 1)

    def test_a_refused_mail_does_not_spoil_the_next(self):
        with FaultServer(rcpt="550 no") as server:
            self.assertEqual([line[0] for line in send(server.port, count=3)], ["permanent"] * 3)


class Encryption(unittest.TestCase):
    def test_starttls_required_and_not_offered(self):
        with FaultServer() as server:
            self.assertEqual(send(server.port, "starttls")[0][0], "temporary")
            self.assertNotIn("MAIL", server.commands)

    def test_starttls_offered_and_refused(self):
        with FaultServer(features=["STARTTLS"], starttls="454 not now") as server:
            self.assertEqual(send(server.port, "starttls")[0][0], "temporary")
            self.assertNotIn("MAIL", server.commands)

    def test_no_password_before_encryption(self):
        with tempfile.NamedTemporaryFile("w") as password, FaultServer(features=["AUTH PLAIN LOGIN"]) as server:
            password.write("secret\n")
            password.flush()
            self.assertEqual(send(server.port, "starttls", user="u", password=password.name)[0][0], "temporary")
            self.assertNotIn("AUTH", server.commands)

    def test_plain_is_refused_off_loopback(self):
        self.assertEqual(send(25, "none", server="192.0.2.1")[0][0], "refused")

    def test_garbage_instead_of_tls(self):
        with FaultServer(features=["STARTTLS"]) as server:
            self.assertEqual(send(server.port, "starttls", timeout=5)[0][0], "temporary")
            self.assertNotIn("MAIL", server.commands)

    def test_a_certificate_for_another_name_is_refused(self):
        with tempfile.TemporaryDirectory() as scratch:
            key, certificate = f"{scratch}/key.pem", f"{scratch}/cert.pem"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                            "-days", "2", "-subj", "/CN=other.example.org", "-addext", "subjectAltName=DNS:other.example.org",
                            "-keyout", key, "-out", certificate], check=True, capture_output=True)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            with FaultServer(features=["STARTTLS"], tls=context) as server:
                self.assertEqual(send(server.port, "starttls", ca=certificate)[0][0], "temporary")
                self.assertNotIn("MAIL", server.commands)


if __name__ == "__main__":
    unittest.main()
