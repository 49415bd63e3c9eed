"""Goal: what an operator and a service manager see of a relay's life: ready, alive only while it really works, reloaded or
not, stopped in order with nothing lost. Real daemons on loopback.

    life_test.py RELAY CTL
"""
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from notify_fixture import HeldThread, Manager, thread_named  # noqa: E402
from relay_fixture import PATIENCE_S, Relay, records, slot_record  # noqa: E402
from wire import ACK, BYE  # noqa: E402

RELAY, CTL = (os.path.abspath(path) for path in sys.argv[1:3])
del sys.argv[1:3]
WATCHDOG_MS = 300
SILENCE_S = 1.5  # of a watchdog that is fed every 150 ms
FIRST_SLOT = 1_900_000
STOP_LIMIT_S = 30  # relay_daemon.hpp: stop_patience


class WithManager(unittest.TestCase):
    configuration = ""

    def setUp(self):
        self.relay = Relay(RELAY, CTL, self.configuration)
        self.addCleanup(self.relay.close)
        self.manager = Manager(self.relay.root, WATCHDOG_MS)
        self.addCleanup(self.manager.close)
        self.relay.start(self.manager.environment)
        self.assertIn("connections", self.manager.wait_for("READY")["STATUS"])

    def locked_database(self):
        """Nobody else can write while this is open: the commit worker waits, for 5 s at a time."""
        lock = sqlite3.connect(self.relay.folder / "relay.db", isolation_level=None)
        self.addCleanup(lock.close)
        lock.execute("BEGIN IMMEDIATE")
        return lock


class Watchdog(WithManager):
    def test_it_is_fed_while_the_relay_works(self):
        for _ in range(3):
            self.assertEqual(self.manager.next(PATIENCE_S)["WATCHDOG"], "1")

    def test_a_reactor_that_hangs_is_silent(self):
        with HeldThread(self.relay.process.pid):
            self.manager.drain()
            self.assertIsNone(self.manager.next(SILENCE_S))
        self.manager.wait_for("WATCHDOG")

    def test_a_commit_worker_that_hangs_is_silent_only_when_work_is_out(self):
        with self.relay.gateway(1) as gateway:
            gateway.come_in("box-1")
            with HeldThread(thread_named(self.relay.process.pid, "commit")):
                gateway.send(records(1, slot_record(FIRST_SLOT)))
                self.assertTrue(gateway.alive())  # the reactor is well
                self.until_silent()
            self.assertEqual(gateway.receive_kind(ACK)[1], 1)
            self.manager.wait_for("WATCHDOG")

    def test_a_store_that_hangs_is_silent(self):
        lock = self.locked_database()
        with self.relay.gateway(1) as gateway:
            gateway.come_in("box-1")
            gateway.send(records(1, slot_record(FIRST_SLOT)))
            self.until_silent()
            lock.execute("ROLLBACK")
            self.assertEqual(gateway.receive_kind(ACK)[1], 1)
            self.manager.wait_for("WATCHDOG")

    def until_silent(self):
        """A ping that was due before the work counted as stuck may come; then none."""
        pings = 0
        while self.manager.next(SILENCE_S) is not None:
            pings += 1
            self.assertLess(pings, 5)


class Stop(WithManager):
    def test_what_was_taken_is_acknowledged_before_the_bye(self):
        lock = self.locked_database()
        with self.relay.gateway(1) as gateway:
            gateway.come_in("box-1", following=21)
            gateway.send(records(1, *(slot_record(FIRST_SLOT + i) for i in range(20))))
            self.assertTrue(gateway.alive())  # so the records were taken
            began = time.monotonic()
            self.relay.process.send_signal(signal.SIGTERM)
            self.manager.wait_for("STOPPING")
            lock.execute("ROLLBACK")
            acked, kind, body = 0, None, None
            while kind != BYE:
                kind, body = gateway.receive()
                acked = body[1] if kind == ACK else acked
            self.assertEqual(acked, 20)
            self.assertIsNone(gateway.receive())
        self.relay.process.wait(PATIENCE_S)
        self.assertEqual(self.relay.process.returncode, 0)
        self.assertLess(time.monotonic() - began, STOP_LIMIT_S)
        self.assertIn("evt=stopped", self.relay.log.finish())
        self.relay.start()
        with self.relay.gateway(1) as gateway:
            self.assertEqual(gateway.come_in("box-1", following=21).get(2), 20)

    def test_nothing_acknowledged_is_lost_whenever_the_stop_comes(self):
        acked = 0
        for life in range(6):
            with self.relay.gateway(1) as gateway:
                welcome = gateway.come_in("box-1", following=1000)
                self.assertGreaterEqual(welcome.get(2, 0), acked)
                acked = welcome.get(2, 0)
                sent = acked
                for _ in range(life * 3 + 1):
                    gateway.send(records(sent + 1, *(slot_record(FIRST_SLOT + sent + i) for i in range(10))))
                    sent += 10
                self.relay.process.send_signal(signal.SIGTERM)
                while (got := gateway.receive()) is not None:
                    acked = got[1][1] if got[0] == ACK else acked
            self.relay.process.wait(PATIENCE_S)
            self.assertEqual(self.relay.process.returncode, 0)
            self.relay.log.finish()
            self.relay.start()


    def test_a_commit_that_never_ends_does_not_hold_up_the_end(self):
        with self.relay.gateway(1) as gateway:
            gateway.come_in("box-1", following=4)
            with HeldThread(thread_named(self.relay.process.pid, "commit")):
                gateway.send(records(1, *(slot_record(FIRST_SLOT + i) for i in range(3))))
                self.assertTrue(gateway.alive())  # so the records were taken
                began = time.monotonic()
                self.relay.process.send_signal(signal.SIGTERM)
                self.manager.wait_for("STOPPING")
                self.until_dead(STOP_LIMIT_S + PATIENCE_S)
            self.assertEqual(self.relay.process.wait(PATIENCE_S), 1)
            self.assertGreaterEqual(time.monotonic() - began, STOP_LIMIT_S)
            kinds = []
            while (got := gateway.receive()) is not None:
                kinds.append(got[0])
            self.assertNotIn(ACK, kinds)  # nothing was durable
        self.assertIn("evt=stop_patience_over commit=out", self.relay.log.finish())
        self.relay.start()
        with self.relay.gateway(1) as gateway:
            self.assertEqual(gateway.come_in("box-1", following=4).get(2, 0), 0)
            gateway.send(records(1, *(slot_record(FIRST_SLOT + i) for i in range(3))))
            self.assertEqual(gateway.receive_kind(ACK)[1], 3)

    def until_dead(self, patience_s):
        """The process itself can be waited for only once its held thread was let go."""
        stat = pathlib.Path(f"/proc/{self.relay.process.pid}/stat")
        until = time.monotonic() + patience_s
        while stat.read_text().rsplit(")", 1)[1].split()[0] != "Z":
            self.assertLess(time.monotonic(), until, "the relay still runs")
            time.sleep(0.05)


class Reload(WithManager):
    def reload(self, answer):
        self.relay.process.send_signal(signal.SIGHUP)
        self.manager.wait_for("RELOADING")
        status = self.manager.wait_for("READY")["STATUS"]
        self.relay.log.wait_for(answer)
        return status

    def test_a_bad_file_is_refused_whole(self):
        with self.relay.gateway(1) as gateway:
            gateway.come_in("box-1")
            self.relay.configure('[mail]\nserver = "127.0.0.1"\nport = 99999\nsecurity = "none"\n[log]\nlevel = "loud"\n')
            self.assertIn("refused", self.reload("evt=reload_failed"))
            log = self.relay.log.text
            lines = (self.relay.folder / "relay.toml").read_text().splitlines()
            self.assertRegex(log, rf"relay\.toml:{lines.index('port = 99999') + 1}: mail\.port: must be an integer from 1 to 65535")
            self.assertRegex(log, rf"relay\.toml:{len(lines)}: log\.level: must be one of")
            self.assertNotIn("evt=reloaded", log)
            self.assertNotIn("evt=configuration_changed", log)
            self.assertTrue(gateway.alive())
        with self.relay.gateway(2) as another:
            another.come_in("box-2")

    def test_a_missing_file_is_no_configuration(self):
        (self.relay.folder / "relay.toml").unlink()
        self.assertIn("refused", self.reload("evt=reload_failed"))

    def test_a_password_file_that_is_not_there_refuses_the_rest_too(self):
        self.relay.configure('[mail]\nserver = "127.0.0.1"\nsecurity = "none"\nuser = "u"\npassword_file = "none"\n'
                             '[log]\nlevel = "error"\n')
        self.reload("evt=reload_failed")
        self.assertNotIn("evt=configuration_changed", self.relay.log.text)

    def test_mail_changes_at_once_and_ports_at_the_next_start(self):
        self.assertIn("evt=no_mail_server", self.relay.log.text)
        self.relay.configure('[mail]\nserver = "127.0.0.1"\nport = 2525\nsecurity = "none"\nfrom = "w@example.org"\n')
        text = (self.relay.folder / "relay.toml").read_text()
        (self.relay.folder / "relay.toml").write_text(text.replace("port = 0", "port = 1", 1).replace("port = 0", "port = 2", 1))
        self.reload("evt=reloaded")
        self.relay.log.wait_for('evt=configuration_changed keys="mail.server mail.port mail.security mail.from"')
        self.relay.log.wait_for('lvl=warn mod=relay evt=restart_needed keys="device.port pages.port"')
        with self.relay.gateway(1) as gateway:
            gateway.come_in("box-1")
        self.assertIn("status", self.relay.page("/healthz"))

    def test_the_level_of_the_log(self):
        self.relay.configure('[log]\nlevel = "error"\n')
        self.reload("evt=configuration_changed")
        with self.relay.gateway(1) as gateway:
            gateway.come_in("box-1")
        self.assertNotIn("evt=live", self.relay.log.text)
        self.relay.configure("")
        self.reload("evt=reloaded")

    def test_a_bad_certificate_is_refused_and_the_former_stays(self):
        (self.relay.folder / "relay.pem").write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
        self.reload("evt=reload_failed")
        self.assertIn("part=configuration", self.relay.log.text)
        with self.relay.gateway(1) as gateway:
            gateway.come_in("box-1")

    def test_a_key_that_everybody_may_read_is_refused(self):
        key = self.relay.folder / "relay-key.pem"
        key.chmod(0o640)  # a group may, as packages do it
        self.reload("evt=reloaded")
        key.chmod(0o644)
        self.reload("evt=reload_failed")
        self.assertIn(f"chmod 0640 {key}", self.relay.log.text)
        self.assertEqual(self.relay.stop(), 0)
        done = subprocess.run([RELAY, "--dir", self.relay.folder], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"chmod 0640 {key}", done.stderr)

    def test_a_new_certificate_serves_new_connections_and_old_ones_go_on(self):
        with self.relay.gateway(1) as gateway:
            gateway.come_in("box-1")
            before = gateway.socket.getpeercert(binary_form=True)
            other = Relay(RELAY, CTL)
            self.addCleanup(other.close)
            # The other relay's own CA: what is trusted changes with it.
            for name in ("relay.pem", "relay-key.pem", "ca.pem"):
                (self.relay.folder / name).write_bytes((other.folder / name).read_bytes())
            self.reload("evt=reloaded")
            self.assertTrue(gateway.alive())
        with self.assertRaises(OSError):
            self.relay.gateway(2)  # does not know the new CA
        (self.relay.box(2) / "ca.pem").write_bytes((other.folder / "ca.pem").read_bytes())
        with self.relay.gateway(2) as gateway:  # with TLS 1.3 a client is done before the relay has judged it
            self.assertNotEqual(gateway.socket.getpeercert(binary_form=True), before)
            with self.assertRaises((OSError, AssertionError)):
                gateway.come_in("box-2")


if __name__ == "__main__":
    unittest.main()
