"""Goal: a press goes from a gateway's lane through a real relay to a real receiver and back, over kill -9, silence and reloads, and is
one entry of the operator's list.  Usage: emergency_test.py RELAY CTL GUARD
"""

import json
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from relay_fixture import PATIENCE_S, Gateway, LogReader, Relay  # noqa: E402
from wire import (ACCEPTED, BUTTON, CLOSED, DRILL, LANE_HELLO, LANE_WELCOME, PRESS, PRESS_NEWS, PRESS_REPORT, RECEIVED,  # noqa: E402
                  fixed64, frame, nested, number, signed)

RELAY, CTL, GUARD = sys.argv[1:4]
KEY = "00112233445566778899aabbccddeeff"


class Guard:
    """tomoshibi-guard with account A001 (encrypted) and A002 (plain)."""

    def __init__(self, folder):
        self.folder = folder
        self.journal = folder / "guard.jsonl"
        (folder / "accounts").write_text(f"A001 {KEY} home one\nA002 - home two\nA003 - home three\n")
        self.port = 0
        self.start()

    def start(self, *more):
        starts = len(self.listening())
        self.process = subprocess.Popen(
            [GUARD, "--accounts", self.folder / "accounts", "--listen", f"127.0.0.1:{self.port}", "--json", self.journal, *more],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE_S
        while len(self.listening()) == starts:
            assert time.monotonic() < deadline, "the receiver does not start"
            time.sleep(0.02)
        self.port = self.listening()[-1]["port"]

    def listening(self):
        return [e for e in self.events() if e["kind"] == "listening"]

    def events(self):
        if not self.journal.exists():
            return []
        return [json.loads(line) for line in self.journal.read_text().splitlines() if line.endswith("}")]

    def booked(self, **wanted):
        return [e for e in self.events() if e["kind"] == "booked" and all(e.get(k) == v for k, v in wanted.items())]

    def wait_booked(self, count, **wanted):
        deadline = time.monotonic() + PATIENCE_S
        while len(found := self.booked(**wanted)) < count:
            assert time.monotonic() < deadline, f"{wanted}: {len(found)} of {count} in the list: {self.events()}"
            time.sleep(0.02)
        assert len(found) == count, found
        return found

    def say(self, line):
        self.process.stdin.write((line + "\n").encode())
        self.process.stdin.flush()

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE_S)
        self.process.stdin.close()


class Lane(Gateway):
    def __init__(self, relay, number_):
        port = int(re.findall(r"evt=emergency_port .*port=(\d+)", relay.log.text)[-1])
        super().__init__(port, relay.box(number_))
        self.send(frame(LANE_HELLO, number(1, 1) + nested(2, f"box-{number_}".encode()) + fixed64(3, 5) + nested(4, b"test")))
        self.receive_kind(LANE_WELCOME)

    def press(self, id_, source=BUTTON, request=None):
        body = fixed64(1, id_) + number(2, source) + nested(3, b"button") + signed(4, int(time.time() * 1000)) + number(5, 1)
        self.send(frame(PRESS, body + (fixed64(6, request) if request else b"")))

    def report(self, id_, path=1):
        self.send(frame(PRESS_REPORT, fixed64(1, id_) + number(2, BUTTON) + nested(3, b"button") + number(5, path) + number(8, 900)
                        + number(9, 4000) + number(10, 30000) + number(11, 31000)))

    def wait_news(self, id_, stage):
        while (got := self.receive_kind(PRESS_NEWS)) is not None:
            if got[1] == id_ and got[2] >= stage:
                return got[2]


class EmergencyTest(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="tms-guard-")
        self.addCleanup(self.scratch.cleanup)
        self.guard = Guard(pathlib.Path(self.scratch.name))
        self.addCleanup(self.guard.kill)
        self.relay = Relay(RELAY, CTL, f'[guard]\nreceivers = ["tcp://127.0.0.1:{self.guard.port}"]\n')
        self.addCleanup(self.relay.close)
        key = self.relay.root / "key"
        key.write_text(KEY + "\n")
        key.chmod(0o600)
        self.relay.ctl("guard", "set", 1, "--account", "A001", "--key-file", key)
        self.relay.ctl("guard", "set", 2, "--account", "A002")

    def test_a_press_goes_the_whole_way_and_is_one_entry(self):
        self.relay.start()
        for number_ in (1, 2):
            with Lane(self.relay, number_) as lane:
                lane.press(0xA0 + number_)
                self.assertGreaterEqual(lane.wait_news(0xA0 + number_, RECEIVED), RECEIVED)
                lane.wait_news(0xA0 + number_, ACCEPTED) if not self.guard.booked(account=f"A00{number_}") else None
                lane.report(0xA0 + number_)
                self.assertEqual(lane.wait_news(0xA0 + number_, CLOSED), CLOSED)
            entry, = self.guard.wait_booked(1, account=f"A00{number_}", event="personal emergency")
            self.assertEqual(int(entry["reference"], 16), 0xA0 + number_)
            self.assertEqual(entry["encrypted"], number_ == 1)
        log = self.relay.log.text
        self.assertNotIn(KEY, log)
        self.assertEqual(self.relay.stop(), 0)

    def test_kill_of_the_relay_and_the_receiver_books_nothing_twice(self):
        self.relay.start()
        for round_ in range(4):
            with Lane(self.relay, 1) as lane:
                lane.press(0xB0)
                lane.press(0xC0 + round_)
                lane.wait_news(0xC0 + round_, RECEIVED)
            (self.relay if round_ % 2 else self.guard).kill()
            (self.relay if round_ % 2 else self.guard).start()
        with Lane(self.relay, 1) as lane:
            for id_ in (0xB0, 0xC0, 0xC1, 0xC2, 0xC3):
                lane.press(id_)
                lane.wait_news(id_, ACCEPTED)
        entries = self.guard.wait_booked(5, account="A001", event="personal emergency")
        self.assertEqual(len({e["reference"] for e in entries}), 5)

    def test_received_but_not_accepted_while_the_receiver_is_silent(self):
        self.relay.start()
        self.guard.say("misbehave answer=silence count=2")
        with Lane(self.relay, 2) as lane:
            lane.press(0xD0)
            got = lane.receive_kind(PRESS_NEWS)
            self.assertEqual((got[1], got[2]), (0xD0, RECEIVED))
            lane.wait_news(0xD0, ACCEPTED)   # after the sender's repetitions
        self.guard.wait_booked(1, account="A002", event="personal emergency")

    def test_an_answer_that_is_none_is_counted_and_the_press_goes_again(self):
        self.relay.start()
        self.guard.say("misbehave answer=wrong-sequence count=1")
        with Lane(self.relay, 2) as lane:
            lane.press(0xD1)
            lane.wait_news(0xD1, ACCEPTED)
        self.guard.wait_booked(1, account="A002", event="personal emergency")
        deadline = time.monotonic() + PATIENCE_S     # what is shown is made anew a few times a second
        while self.relay.metric("guard_answers_doubted_total") != 1:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def test_a_home_without_account_is_received_and_never_accepted(self):
        self.relay.start()
        with Lane(self.relay, 3) as lane:
            lane.press(0xE0)
            self.assertEqual(lane.wait_news(0xE0, RECEIVED), RECEIVED)
            self.relay.log.wait_for("evt=no_centre")
            self.relay.ctl("guard", "set", 3, "--account", "A003")   # pokes the relay: now it can go
            self.assertEqual(lane.wait_news(0xE0, ACCEPTED), ACCEPTED)
        self.guard.wait_booked(1, account="A003", event="personal emergency")

    def test_another_centre_in_the_file_counts_from_the_next_start_only(self):
        self.relay.start()
        self.relay.configure('[guard]\nreceivers = ["tcp://127.0.0.1:9"]\n')
        self.relay.process.send_signal(signal.SIGHUP)
        self.relay.log.wait_for("evt=restart_needed keys=guard.receivers")
        with Lane(self.relay, 2) as lane:
            lane.press(0xD2)
            lane.wait_news(0xD2, ACCEPTED)
        self.guard.wait_booked(1, account="A002", event="personal emergency")

    def test_strangers_and_the_revoked_are_kept_out(self):
        self.relay.start()
        with Lane(self.relay, 1) as lane:
            self.relay.ctl("gateway", "revoke", "box-1")
            self.assertEqual(lane.bye(), "revoked")
        with Lane(self.relay, 2) as lane:
            lane.send(frame(1, b""))         # a message of the device channel
            self.assertEqual(lane.bye(), "malformed")

    def test_an_end_in_order_says_bye_and_is_quick(self):
        self.relay.start()
        with Lane(self.relay, 1) as lane:
            began = time.monotonic()
            self.relay.process.send_signal(signal.SIGTERM)
            self.assertEqual(lane.bye(), "shutdown")
            lane.socket.close()
            self.assertEqual(self.relay.process.wait(PATIENCE_S), 0)
            self.assertLess(time.monotonic() - began, 10)

    def test_a_port_that_is_taken_and_a_file_that_is_damaged(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            text = (self.relay.folder / "relay.toml").read_text()
            (self.relay.folder / "relay.toml").write_text(text.replace('[emergency]\nlisten = "127.0.0.1"\nport = 0',
                                                                      f'[emergency]\nlisten = "127.0.0.1"\nport = {port}'))
            done = subprocess.run([RELAY, "--dir", self.relay.folder], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(str(port), done.stderr)
            (self.relay.folder / "relay.toml").write_text(text)
        (self.relay.folder / "emergency.db").write_bytes(b"x" * 10_000)
        for leftover in ("emergency.db-wal", "emergency.db-shm"):
            (self.relay.folder / leftover).unlink(missing_ok=True)
        self.relay.start()
        self.relay.log.wait_for("evt=book_lost")
        self.assertTrue((self.relay.folder / "emergency.db.corrupt").exists())
        with Lane(self.relay, 2) as lane:
            lane.press(0xAB)
            lane.wait_news(0xAB, ACCEPTED)

    def ctl(self, *arguments):
        return subprocess.run([CTL, "--dir", self.relay.folder, *map(str, arguments)], capture_output=True, text=True, check=False,
                              timeout=PATIENCE_S)

    def test_a_restored_book_is_not_mixed_with_a_log_that_was_left(self):
        copy = self.relay.root / "copy.db"
        self.relay.start()
        with Lane(self.relay, 2) as lane:
            lane.press(0xA1)
            lane.wait_news(0xA1, ACCEPTED)
        self.assertEqual(self.relay.stop(), 0)
        self.assertEqual(self.ctl("backup", copy).returncode, 0)
        self.relay.start()
        with Lane(self.relay, 2) as lane:
            lane.press(0xA2)
            lane.wait_news(0xA2, ACCEPTED)
        self.relay.kill()                                           # its log is full of what the copy has not
        (self.relay.folder / "emergency.db").unlink()
        self.assertTrue((self.relay.folder / "emergency.db-wal").exists())
        done = self.ctl("restore", copy)
        self.assertEqual(done.returncode, 0, done.stderr)
        presses = [line for line in self.ctl("emergency", "list").stdout.splitlines() if "00000000000000" in line.lower()]
        self.assertEqual(len(presses), 1, presses)
        self.relay.start()
        self.assertNotIn("evt=book_lost", self.relay.log.text)      # a copy misses no log
        self.assertEqual(self.relay.stop(), 0)

    def test_a_loss_is_told_until_a_start_succeeds(self):
        self.relay.start()
        self.assertEqual(self.relay.stop(), 0)
        for name in ("emergency.db", "emergency.db-wal", "emergency.db-shm"):
            (self.relay.folder / name).unlink(missing_ok=True)
        text = (self.relay.folder / "relay.toml").read_text()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            (self.relay.folder / "relay.toml").write_text(text.replace("port = 0", f"port = {taken.getsockname()[1]}", 1))
            done = subprocess.run([RELAY, "--dir", self.relay.folder], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("evt=book_lost", done.stderr)
        (self.relay.folder / "relay.toml").write_text(text)
        self.relay.start()
        self.assertIn("evt=book_lost", self.relay.log.text)
        self.assertEqual(self.relay.stop(), 0)

    def test_a_book_that_is_gone_is_told_and_presses_are_taken(self):
        self.relay.start()
        self.assertEqual(self.relay.stop(), 0)
        self.assertNotIn("evt=book_lost", self.relay.log.text)      # a first start misses nothing
        for name in ("emergency.db", "emergency.db-wal", "emergency.db-shm"):
            (self.relay.folder / name).unlink(missing_ok=True)
        done = self.ctl("emergency", "list")
        self.assertEqual(done.returncode, 2)
        self.assertIn("gone", done.stderr)
        self.relay.start()
        self.relay.log.wait_for("evt=book_lost")
        health = json.loads(self.relay.page("/healthz"))
        self.assertIn("emergency.db was gone", " ".join(health["reasons"]))
        with Lane(self.relay, 2) as lane:
            lane.press(0xAB)
            lane.wait_news(0xAB, ACCEPTED)
        self.assertEqual(self.relay.stop(), 0)
        self.relay.start()
        self.assertNotIn("evt=book_lost", self.relay.log.text)      # told once
        self.assertEqual(self.relay.stop(), 0)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
