"""What the tests of tomoshibi-ctl share: a relay's folder of their own, the program run on it, and a relay to play.

Each of them is run as X_test.py PATH-TO-tomoshibi-ctl. Every verb must do what its help says, and every wrong input be refused
with exit code 2 and a sentence that names what is allowed, leaving everything as it was. Facts that a relay would store (slots,
alerts, mails) are written with the sqlite3 module; the relay's control socket is played by a thread.
"""
import json
import os
import pathlib
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import unittest

CTL = sys.argv.pop(1)
NOW = "2026-01-31T03:00:00Z"  # noon in Japan
KEY = "00112233445566778899aabbccddeeff"


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
