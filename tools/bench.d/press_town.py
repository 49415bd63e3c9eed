"""Who takes part in the way of a press, but for the boxes: the relay's folder with their homes, the relay, tomoshibi-guard over
TLS, a mail server, and the floor beside them."""
import json
import re
import shutil
import socketserver
import subprocess
import threading

import servers
import stage

DEVICE_PORT, LANE_PORT, PAGES_PORT, GUARD_PORT, MAIL_PORT = 8443, 8444, 9464, 12000, 2525


class Mails(socketserver.StreamRequestHandler):
    """Takes every mail."""

    def handle(self):
        self.say("220 bench")
        for line in self.rfile:
            word = line[:4].upper()
            if word == b"DATA":
                self.say("354 go on")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                self.server.taken += 1
            self.say("221 bye" if word == b"QUIT" else "250 ok")
            if word == b"QUIT":
                return

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")


class MailServer(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads, taken = True, True, 0

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Relay(servers.Relay):
    """One whose folder is there, with the emergency part."""

    def __init__(self, fleet, folder):
        super().__init__(fleet, folder)
        self.relay, self.port, self.other_port = folder / "relay", DEVICE_PORT, PAGES_PORT

    def start(self):
        super().start()
        servers.wait_for_port(LANE_PORT, self.processes[0])

    def emergency(self):
        return self.health()["emergency"]


class Guard:
    """tomoshibi-guard."""

    def __init__(self, town):
        self.town, self.process = town, None

    def __enter__(self):
        folder, keys = self.town.folder, self.town.relay
        (folder / "accounts").write_text("".join(f"{a} {k} bench\n" for a, k in self.town.accounts))
        command = [stage.binary("tomoshibi-guard"), "--accounts", folder / "accounts", "--json", folder / "guard.jsonl", "--tls-listen",
                   f"127.0.0.1:{GUARD_PORT}", "--certificate", keys / "relay.pem", "--key", keys / "relay-key.pem", "--ca", keys / "ca.pem"]
        with open(folder / "guard.log", "ab") as out:
            self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.PIPE, stdout=out, stderr=out,
                                            preexec_fn=stage.die_with_parent)
        servers.wait_for_port(GUARD_PORT, self.process)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def booked(self):
        """The operator's list: how often each press stands in it."""
        seen = {}
        for line in (self.town.folder / "guard.jsonl").read_text().splitlines():
            entry = json.loads(line)
            if entry["kind"] == "booked" and entry["event"] == "personal emergency":
                seen[entry["reference"]] = seen.get(entry["reference"], 0) + 1
        return seen


class Floor:
    """bench-press-floor: a pass for each order."""

    def __init__(self, town):
        keys, box = town.relay, town.box(1)
        command = [stage.binary("bench-press-floor"), town.folder, keys / "relay.pem", keys / "relay-key.pem", box / "gateway.pem",
                   box / "gateway.key", keys / "ca.pem"]
        self.popen = subprocess.Popen([str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      preexec_fn=stage.die_with_parent)

    def __enter__(self):
        self.answer()
        return self

    def __exit__(self, *_):
        self.popen.kill()
        self.popen.wait()

    def answer(self):
        line = self.popen.stdout.readline()
        if not line:
            stage.fail(f"bench-press-floor ended with {self.popen.wait()}")
        return json.loads(line)

    def one(self):
        self.popen.stdin.write(b"\n")
        self.popen.stdin.flush()
        return self.answer()


class Town:
    """The folders of all of them: a fleet's relay with the homes of the boxes added, each with account and contact."""

    def __init__(self, fleet, folder, count):
        self.folder, self.relay, self.count = folder, folder / "relay", count
        self.accounts = [(f"A{n:03d}", f"{n:032X}") for n in range(1, count + 1)]
        shutil.copytree(fleet.relay, self.relay)
        (self.relay / "relay.toml").write_text(
            f'[device]\nlisten = "127.0.0.1"\nport = {DEVICE_PORT}\n\n[pages]\nlisten = "127.0.0.1"\nport = {PAGES_PORT}\n\n'
            f'[emergency]\nlisten = "127.0.0.1"\nport = {LANE_PORT}\n\n'
            f'[mail]\nserver = "127.0.0.1"\nport = {MAIL_PORT}\nsecurity = "none"\nfrom = "notice@tomoshibi.example"\n'
            + self.guard_table(self.relay / "ca.pem", self.box(1)) + f'line_account = "{self.accounts[0][0]}"\n')
        for n in range(1, count + 1):
            self.settle(n)

    def box(self, number):
        return self.folder / f"box-{number}"

    def ctl(self, *arguments):
        return stage.run([stage.binary("tomoshibi-ctl"), "--dir", str(self.relay), *map(str, arguments)])

    @staticmethod
    def guard_table(ca, client):
        return (f'\n[guard]\nreceivers = ["tls://127.0.0.1:{GUARD_PORT}"]\nca = "{ca}"\ncertificate = "{client}/gateway.pem"\n'
                f'key = "{client}/gateway.key"\n')

    def settle(self, number):
        box, (account, key), keyfile = self.box(number), self.accounts[number - 1], self.folder / f"account-{number}.key"
        keyfile.touch(mode=0o600)
        keyfile.write_text(key)
        home = re.search(r"\d+", self.ctl("home", "add", f"Pressing {number}", "--zone=+00:00")).group()
        self.ctl("gateway", "add", home, f"pressing-{number}")
        self.ctl("gateway", "enrol", f"pressing-{number}", "--out", box, "--relay", f"127.0.0.1:{DEVICE_PORT}")
        self.ctl("guard", "set", home, "--account", account, "--key-file", keyfile)
        self.ctl("contact", "add", home, "--name", "Family", "--mail", "family@example.org", "--lang", "ja")
        with open(box / "gateway.toml", "a", encoding="utf-8") as config:
            config.write(f'\n[gateway]\nstate_folder = "{box}/state"\n\n[echonet]\ninterface = "lo"\nbind_address = "127.0.2.{number}"\n'
                         + self.guard_table(box / "ca.pem", box) + f'account = "{account}"\naccount_key = "{keyfile}"\n')
