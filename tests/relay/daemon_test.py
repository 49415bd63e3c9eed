"""Goal: the relay's daemon as a whole, on loopback: what strangers and broken peers do costs the others nothing, it ends in
order, and what it acknowledged survives kill -9.

    daemon_test.py TOMOSHIBI_RELAY TOMOSHIBI_CTL
"""

import json
import os
import pathlib
import re
import select
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
import relay_fixture as fixture  # noqa: E402
from relay_fixture import PATIENCE_S, Relay, hello, records, slot_record  # noqa: E402
from smtp_fault_server import FaultServer  # noqa: E402
from wire import ACK, CONFIG, PING, frame, number  # noqa: E402

RELAY, CTL = sys.argv.pop(1), sys.argv.pop(1)


def current_slot():
    return int(time.time()) // 900 - 10


def ends(connection, seconds):
    """True when the other side ends the connection within that time; what it says before is thrown away."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([connection], [], [], left)[0]:
            return False
        try:
            if not connection.recv(65536):
                return True
        except ConnectionError:
            return True
    return False


class WithRelay(unittest.TestCase):
    configuration = ""

    def setUp(self):
        self.relay = Relay(RELAY, CTL, self.configuration)
        self.addCleanup(self.relay.close)
        self.relay.start()


class Strangers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.relay = Relay(RELAY, CTL).start()
        cls.addClassCleanup(cls.relay.close)

    def setUp(self):
        self.good = self.relay.gateway(1)
        self.addCleanup(self.good.socket.close)
        self.good.come_in("box-1")

    def tearDown(self):
        # The point of every test here: the others do not notice.
        self.assertTrue(self.good.alive())
        self.assertEqual(self.relay.metric("checks_failed_total"), 0)

    def plain(self, port=None):
        connection = socket.create_connection(("127.0.0.1", port or self.relay.port), PATIENCE_S)
        self.addCleanup(connection.close)
        return connection

    def test_garbage_before_and_inside_tls(self):
        connection = self.plain()
        connection.sendall(os.urandom(2000))
        self.assertTrue(ends(connection, PATIENCE_S))
        with self.relay.gateway(2) as inside:
            inside.send(b"\x00\x00" + bytes(range(100)))
            self.assertEqual(inside.bye(), "malformed")
        with self.relay.gateway(2) as inside:
            inside.send(b"\xff\xff" + bytes(100))
            self.assertEqual(inside.bye(), "malformed")

    def test_http_to_the_device_port(self):
        before = self.relay.metric("handshakes_failed_total")
        connection = self.plain()
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertTrue(ends(connection, PATIENCE_S))
        self.assertEqual(self.relay.metric("handshakes_failed_total"), before + 1)

    def test_tls_to_the_pages_port(self):
        connection = self.plain(self.relay.pages)
        connection.sendall(b"\x16\x03\x01\x00\x05hello\r\n\r\n")
        self.assertTrue(ends(connection, PATIENCE_S))

    def assert_not_let_in(self, connect, name):
        """An alert, a reset or an end, but not one byte of the protocol."""
        try:
            with connect() as gateway:
                gateway.send(hello(name))
                said = gateway.socket.recv(100)
        except (ssl.SSLError, ConnectionError):
            return
        self.assertEqual(said, b"")

    def test_no_certificate(self):
        self.assert_not_let_in(lambda: self.relay.gateway(2, with_certificate=False), "box-2")

    def test_a_certificate_of_another_provider(self):
        other = Relay(RELAY, CTL)
        self.addCleanup(other.close)
        stranger = other.box(1)
        (stranger / "ca.pem").write_bytes((self.relay.box(1) / "ca.pem").read_bytes())
        self.assert_not_let_in(lambda: fixture.Gateway(self.relay.port, stranger), "box-1")

    def test_another_gateways_name(self):
        with self.relay.gateway(2) as gateway:
            gateway.send(hello("box-1"))
            self.assertEqual(gateway.bye(), "identity")

    def test_a_wrong_version(self):
        with self.relay.gateway(2) as gateway:
            gateway.send(hello("box-2", version=99))
            self.assertEqual(gateway.bye(), "version")

    def test_a_frame_before_hello(self):
        with self.relay.gateway(2) as gateway:
            gateway.send(frame(PING, number(1, 1)))
            self.assertEqual(gateway.bye(), "malformed")

    def test_a_gap_in_the_sequence(self):
        with self.relay.gateway(2) as gateway:
            gateway.come_in("box-2", following=10)
            gateway.send(records(5, slot_record(current_slot())))
            self.assertEqual(gateway.bye(), "malformed")

    def test_a_revoked_gateway_is_out_at_once_and_stays_out(self):
        with self.relay.gateway(3) as gateway:
            gateway.come_in("box-3")
            self.relay.ctl("gateway", "revoke", "box-3")
            self.assertEqual(gateway.bye(), "revoked")
        with self.relay.gateway(3) as gateway:
            gateway.send(hello("box-3"))
            self.assertEqual(gateway.bye(), "revoked")

    def test_a_newer_connection_replaces_the_older(self):
        with self.relay.gateway(2) as older, self.relay.gateway(2) as newer:
            older.come_in("box-2")
            newer.come_in("box-2")
            self.assertEqual(older.bye(), "replaced")
            self.assertTrue(newer.alive())

    def test_a_peer_that_floods_and_never_reads(self):
        """By a gateway of its own: what it sent in this minute counts against its next connections too."""
        home = self.relay.add_home()
        with self.relay.gateway(home) as gateway:
            gateway.come_in(f"box-{home}")
            ping = frame(PING, number(1, 1)) * 100
            with self.assertRaises((ConnectionError, ssl.SSLError)):
                for _ in range(10_000):
                    gateway.send(ping)

    def test_connections_that_come_and_go(self):
        for _ in range(200):
            self.plain().close()
        with self.relay.gateway(2) as gateway:
            gateway.come_in("box-2")
            self.assertTrue(gateway.alive())

    def test_slow_peers_are_dropped_on_both_ports(self):
        """Half-open, half a handshake, half a request: together, so that the waiting is done once."""
        silent, half, page = self.plain(), self.plain(), self.plain(self.relay.pages)
        half.sendall(b"\x16\x03\x01")
        page.sendall(b"GET / HT")
        stop = threading.Event()

        def drip():
            while not stop.wait(1):
                try:
                    page.sendall(b"T")
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        dripping.start()
        self.assertTrue(self.good.alive())
        for connection in (silent, half, page):
            self.assertTrue(ends(connection, 20))
        stop.set()
        dripping.join()
        with self.relay.gateway(2) as mute:  # TLS, but no hello: dropped, politely
            self.assertEqual(mute.bye(), "timeout")


class Pages(WithRelay):
    def test_metrics_are_prometheus_text(self):
        text = self.relay.page("/metrics")
        self.assertTrue(text.endswith("\n"))
        typed = set()
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                name, kind = line.split()[2:]
                self.assertNotIn(name, typed)
                self.assertEqual(name.endswith("_total"), kind == "counter")
                typed.add(name)
            elif not line.startswith("# HELP "):
                self.assertRegex(line, r'^tomoshibi_relay_[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? \d+(\.\d+)?$')
                name = re.sub(r"_(bucket|sum|count)$", "", re.match(r"[a-z_]+", line).group())
                self.assertTrue({name, re.match(r"[a-z_]+", line).group()} & typed, line)

    def test_the_documentation_lists_every_metric_and_no_other(self):
        shown = set(re.findall(r"^# TYPE tomoshibi_relay_(\S+)", self.relay.page("/metrics"), re.MULTILINE))
        text = (ROOT / "docs/OPERATIONS.md").read_text()
        listed = set(re.findall(r"^\| `tomoshibi_relay_([a-z_]+)`", text, re.MULTILINE))
        if "emergency" not in json.loads(self.relay.page("/healthz")):
            listed = {name for name in listed if not name.startswith(("emergency_", "guard_"))}
        self.assertEqual(shown, listed)

    def test_health_tells_what_is_wrong(self):
        self.assertEqual(json.loads(self.relay.page("/healthz"))["status"], "ok")
        self.relay.ctl("contact", "add", 1, "--name", "Taro", "--mail", "taro@example.org", "--lang", "ja")
        self.relay.ctl("watch", "on", 1)
        health = json.loads(self.relay.page("/healthz"))
        self.assertEqual(health["status"], "degraded")
        self.assertIn("no mail server is configured", health["reasons"])
        self.assertIn("no mail server is configured", self.relay.page("/"))
        self.assertNotIn("Taro", self.relay.page("/") + self.relay.page("/healthz") + self.relay.page("/metrics"))


class Lives(WithRelay):
    def test_graceful_stop_says_bye_and_ends_with_0(self):
        with self.relay.gateway(1) as gateway:
            gateway.come_in("box-1")
            stopping = threading.Thread(target=self.relay.stop)
            stopping.start()
            self.assertEqual(gateway.bye(), "shutdown")
            stopping.join()
        self.assertEqual(self.relay.process.returncode, 0)
        self.assertIn("evt=stopped", self.relay.log.text)

    def test_what_was_acknowledged_survives_kill_9_and_counts_once(self):
        slot = current_slot()
        acked = 0
        for life in range(4):
            with self.relay.gateway(1) as gateway:
                welcome = gateway.come_in("box-1", following=acked + 6)
                self.assertGreaterEqual(welcome.get(2, 0), acked)
                # Sent again from the start: what is known is skipped.
                gateway.send(records(1, *(slot_record(slot - 100 + i) for i in range(acked + 5))))
                while acked < life * 5 + 5:
                    acked = gateway.receive_kind(ACK)[1]
            self.relay.kill()
            self.relay.start()
        with self.relay.gateway(1) as gateway:
            self.assertEqual(gateway.come_in("box-1", following=acked + 1).get(2), acked)
        self.assertEqual(acked, 20)

    def test_hangup_reads_everything_again_and_keeps_the_port(self):
        with self.relay.gateway(1) as gateway:
            gateway.come_in("box-1")
            self.relay.process.send_signal(signal.SIGHUP)
            self.relay.log.wait_for("evt=reloaded")
            self.assertTrue(gateway.alive())
            with self.relay.gateway(2) as another:
                another.come_in("box-2")
                self.assertTrue(another.alive())

    def test_a_second_relay_in_the_folder_is_refused(self):
        done = subprocess.run([RELAY, "--dir", self.relay.folder], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("another relay runs in this folder", done.stderr)
        # Nor when somebody removed the socket by which it could be found.
        socket, away = self.relay.folder / "relay.sock", self.relay.folder / "relay.sock.away"
        socket.rename(away)
        done = subprocess.run([RELAY, "--dir", self.relay.folder], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        away.rename(socket)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{self.relay.folder}/relay.db: another relay runs", done.stderr)
        with self.relay.gateway(1) as gateway:
            gateway.come_in("box-1")

    def test_a_new_gateway_is_known_without_a_restart(self):
        home = self.relay.add_home()
        with self.relay.gateway(home) as gateway:
            gateway.come_in(f"box-{home}")
            self.assertEqual(gateway.receive_kind(CONFIG).get(1), 1)


class Mails(unittest.TestCase):
    def test_a_test_mail_leaves_through_the_running_relay(self):
        with FaultServer() as server:
            relay = Relay(RELAY, CTL, f'[mail]\nserver = "127.0.0.1"\nport = {server.port}\nsecurity = "none"\n'
                                      'from = "watch@relay.example.org"\n')
            self.addCleanup(relay.close)
            relay.start()
            relay.ctl("contact", "add", 1, "--name", "山田 太郎", "--mail", "taro@example.org", "--lang", "ja")
            relay.ctl("mail", "test", 1)
            deadline = time.monotonic() + PATIENCE_S
            while relay.metric("mails_sent_total") == 0 and time.monotonic() < deadline:
                pass
            self.assertEqual(relay.stop(), 0)
            self.assertEqual(len(server.mails), 1)
            self.assertIn("evt=sent to=1 kind=test", relay.log.text)
            self.assertNotIn("taro@example.org", relay.log.text)


class CommandLine(unittest.TestCase):
    def run_relay(self, *arguments):
        return subprocess.run([RELAY, *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    def test_help_version_and_wrong_usage(self):
        self.assertEqual(self.run_relay("--help").returncode, 0)
        self.assertRegex(self.run_relay("--version").stdout, r"^tomoshibi-relay \d+\.\d+\.\d+\n$")
        self.assertEqual(self.run_relay("--nonsense").returncode, 2)

    def test_a_wrong_configuration_is_named_with_its_place(self):
        relay = Relay(RELAY, CTL)
        self.addCleanup(relay.close)
        relay.configure("[mail]\nport = 99999\n")
        done = self.run_relay("--dir", relay.folder)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r"relay\.toml:11.*port")

    def test_a_file_that_is_named_and_cannot_be_used_is_told_with_its_key(self):
        relay = Relay(RELAY, CTL)
        self.addCleanup(relay.close)
        token = relay.folder / "token"
        token.write_text("short")
        token.chmod(0o600)
        centre = 'receivers = ["tls://centre.example.net:10443"]\n'
        for key, file, more in (("guard.ca", "none.pem", f'[guard]\n{centre}ca = "none.pem"\n'),
                                ("guard.ca", "token", f'[guard]\n{centre}ca = "token"\n'),
                                ("guard.key", "relay-key.pem",
                                 f'[guard]\n{centre}ca = "ca.pem"\ncertificate = "ca.pem"\nkey = "relay-key.pem"\n'),
                                ("mail.password_file", "none", '[mail]\nserver = "mail.example.org"\nuser = "u"\npassword_file = "none"\n'),
                                ("pages.api_token_file", "none", 'api_token_file = "none"\n'),
                                ("pages.api_token_file", "token", 'api_token_file = "token"\n')):
            relay.configure(more)
            if key.startswith("pages."):
                text = (relay.folder / "relay.toml").read_text().replace(more, "")
                (relay.folder / "relay.toml").write_text(text.replace("[pages]\n", "[pages]\n" + more))
            for check in (("--check-config",), ()):
                done = self.run_relay("--dir", relay.folder, *check)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(f"{key}: {relay.folder / file}: ", done.stderr)
        relay.configure(f'[guard]\n{centre}ca = "none.pem"\n[mail]\nserver = "mail.example.org"\nca_file = "none"\n')
        done = self.run_relay("--dir", relay.folder, "--check-config")
        self.assertTrue("mail.ca_file: " in done.stderr and "guard.ca: " in done.stderr, done.stderr)

    def test_a_mail_servers_missing_ca_keeps_no_relay_from_taking_presses(self):
        relay = Relay(RELAY, CTL, '[mail]\nserver = "mail.example.org"\nca_file = "none"\n')
        self.addCleanup(relay.close)
        done = self.run_relay("--dir", relay.folder, "--check-config")
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"mail.ca_file: {relay.folder / 'none'}: No such file", done.stderr)
        relay.start()
        self.assertEqual(relay.stop(), 0)

    def test_the_printed_configuration_is_accepted(self):
        relay = Relay(RELAY, CTL)
        self.addCleanup(relay.close)
        (relay.folder / "relay.toml").write_text(self.run_relay("--print-config").stdout)
        self.assertEqual(self.run_relay("--dir", relay.folder, "--check-config").returncode, 0)

    def test_a_replay_clock_is_refused_off_loopback(self):
        relay = Relay(RELAY, CTL)
        self.addCleanup(relay.close)
        (relay.folder / "relay.toml").write_text("")  # listens everywhere
        done = self.run_relay("--dir", relay.folder, "--replay-clock", "/nonexistent")
        self.assertEqual(done.returncode, 2)
        self.assertIn("loopback", done.stderr)

    def test_a_taken_port_is_named(self):
        relay = Relay(RELAY, CTL)
        self.addCleanup(relay.close)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            for table in ("device", "emergency", "pages"):
                relay.configure("")
                text = (relay.folder / "relay.toml").read_text()
                (relay.folder / "relay.toml").write_text(re.sub(rf"(\[{table}\]\nlisten = \S+\nport = )0", rf"\g<1>{port}", text))
                done = self.run_relay("--dir", relay.folder)
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"{table}.listen, {table}.port: TCP 127.0.0.1:{port}: Address already in use", done.stderr)

    def test_one_port_for_two_is_refused(self):
        relay = Relay(RELAY, CTL)
        self.addCleanup(relay.close)
        (relay.folder / "relay.toml").write_text('[device]\nport = 9000\n[emergency]\nport = 9000\n')
        for more in (("--check-config",), ()):
            done = self.run_relay("--dir", relay.folder, *more)
            self.assertEqual(done.returncode, 2)
            self.assertIn("emergency.port: 9000 at 0.0.0.0 is taken by device.port", done.stderr)

    def test_a_folder_without_keys_is_a_clear_error(self):
        relay = Relay(RELAY, CTL)
        self.addCleanup(relay.close)
        (relay.folder / "relay-key.pem").unlink()
        for more in ((), ("--check-config",)):
            done = self.run_relay("--dir", relay.folder, *more)
            self.assertEqual(done.returncode, 2)
            self.assertIn("relay-key.pem", done.stderr)

    def test_a_folder_that_init_did_not_make_is_left_empty(self):
        with tempfile.TemporaryDirectory(prefix="tomoshibi-relay-") as folder:
            for more in ((), ("--check-config",)):
                done = self.run_relay("--dir", folder, *more)
                self.assertEqual(done.returncode, 2)
                self.assertIn("tomoshibi-ctl init", done.stderr)
            self.assertEqual(os.listdir(folder), [])


if __name__ == "__main__":
    unittest.main()
