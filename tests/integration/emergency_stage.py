"""The way of a press with the real daemons: a gateway, a relay, a guard centre and a mail server in a network namespace, and a
button that shares no code with the product."""
import json
import pathlib
import re
import subprocess
import sys
import threading
import time

import harness
import product

LANE_PORT, GUARD_PORT = 8444, 12000
ACCOUNT, KEY = "0A12", "000102030405060708090A0B0C0D0E0F"
DIRECT_AFTER_S, UNDELIVERED_AFTER_S = 3, 10

# An ECHONET node of class 0x0003 for each line "press N" or "release N" on standard input: it only announces (INF of 0xB1).
BUTTON = """
import socket, sys
for line in sys.stdin:
    what, n = line.split()
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(f"127.0.1.{n}"))
    s.bind((f"127.0.1.{n}", 3610))
    value = "41" if what == "press" else "42"
    s.sendto(bytes.fromhex("10810001" + "000301" + "05ff01" + "7301" + "b101" + value), ("224.0.23.0", 3610))
    s.close()
    print("said", flush=True)
"""


class Panel:
    """What the panel has shown, from the first word on: (seconds, word), by the gateway's log, for some words stand for milliseconds."""

    def __init__(self, log):
        self.log, self.at, self.shown, self.stopping = log, 0, [], threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self):
        while not self.stopping.wait(0.002):
            if not self.log.exists() or self.log.stat().st_size == self.at:
                continue
            with open(self.log, "rb") as lines:
                lines.seek(self.at)
                text = lines.read()
            text = text[:text.rfind(b"\n") + 1]
            self.at += len(text)
            for word in re.findall(rb"mod=panel evt=shown word=(\w+)", text):
                self.shown.append((time.monotonic(), word.decode()))

    def stop(self):
        self.stopping.set()
        self.thread.join()


class Guard:
    """tomoshibi-guard, with orders on its standard input."""

    def __init__(self, namespace, folder, certificates):
        self.namespace, self.folder, self.journal = namespace, folder, folder / "guard.jsonl"
        (folder / "accounts").write_text(f"{ACCOUNT} {KEY} Home\n")
        self.command = [harness.binary("tomoshibi-guard"), "--accounts", str(folder / "accounts"), "--json", str(self.journal),
                        "--tls-listen", f"127.0.0.1:{GUARD_PORT}", "--certificate", str(certificates / "relay.pem"),
                        "--key", str(certificates / "relay-key.pem"), "--ca", str(certificates / "ca.pem")]
        self.popen = None

    def start(self):
        out = open(self.folder / "guard.log", "ab")  # pylint: disable=consider-using-with  it lives as long as the program
        self.popen = subprocess.Popen(self.namespace.exec(self.command), stdin=subprocess.PIPE, stdout=out, stderr=out, text=True,
                                      preexec_fn=harness.die_with_parent, start_new_session=True)
        begun = self.entries_of("listening")
        wait_until(lambda: len(self.entries_of("listening")) > len(begun) or begun == [], 10, "the guard centre does not listen")
        wait_until(lambda: self.entries_of("listening"), 10, "the guard centre does not listen")

    def order(self, text):
        self.popen.stdin.write(text + "\n")
        self.popen.stdin.flush()

    def kill9(self):
        self.popen.kill()
        self.popen.wait()

    def entries_of(self, kind):
        if not self.journal.exists():
            return []
        out = []
        for line in self.journal.read_text().splitlines():
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:
                continue
            if entry["kind"] == kind:
                out.append(entry)
        return out

    def booked(self):
        """Presses in the operator's list, one for each line of it."""
        return [e for e in self.entries_of("booked") if e["event"] in ("personal emergency", "medical", "manual test")]


def wait_until(holds, seconds, otherwise):
    deadline = time.monotonic() + seconds
    while not (got := holds()):
        if time.monotonic() > deadline:
            harness.fail(otherwise() if callable(otherwise) else otherwise)
        time.sleep(0.01)
    return got


class Way:
    """All of it, running."""

    def __init__(self, namespace, folder, mail):
        self.namespace, self.folder, self.mail = namespace, pathlib.Path(folder), mail
        self.all = product.Product(namespace, folder, None)
        self.buttons = 0
        contacts = [{"name": "Aki", "mail": "aki@example.net", "lang": "en"}] if mail else []
        self.all.set_up("Kita", [], contacts, None, mail=mail.settings if mail else None)
        relay, box = self.all.relay_folder, self.all.box
        self.all.ctl("home", "add", "Centre line", "--zone=+00:00")
        self.all.ctl("gateway", "add", "2", "centre-line")
        self.all.ctl("gateway", "enrol", "centre-line", "--out", folder / "line", "--relay", "127.0.0.1:8443")
        key = folder / "account.key"
        key.touch(mode=0o600)
        key.write_text(KEY)
        with open(relay / "relay.toml", "a", encoding="utf-8") as config:
            config.write(self.guard_table(relay / "ca.pem", folder / "line") + f'line_account = "{ACCOUNT}"\n')
        config = (box / "gateway.toml").read_text()
        table, _, rest = config.partition("[emergency]\n")
        rest = re.sub(r"^(port|enabled) = .*\n", "", rest, flags=re.M)
        (box / "gateway.toml").write_text(
            f'{table}[emergency]\nport = {LANE_PORT}\ndirect_after_s = {DIRECT_AFTER_S}\n'
            f'undelivered_after_s = {UNDELIVERED_AFTER_S}\npanel_file = "{box}/panel"\n{rest}'
            + self.guard_table(box / "ca.pem", box) + f'account = "{ACCOUNT}"\naccount_key = "{key}"\nline = "2"\n')
        self.all.ctl("guard", "set", self.all.home, "--account", ACCOUNT, "--key-file", key)
        self.guard = Guard(namespace, self.folder, relay)
        self.panel = Panel(self.folder / "gateway.log")
        self.button = subprocess.Popen(namespace.exec([sys.executable, "-c", BUTTON]), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       text=True, preexec_fn=harness.die_with_parent)

    @staticmethod
    def guard_table(ca, client):
        return (f'\n[guard]\nreceivers = ["tls://127.0.0.1:{GUARD_PORT}"]\nca = "{ca}"\ncertificate = "{client}/gateway.pem"\n'
                f'key = "{client}/gateway.key"\nnull_interval_s = 1\n')

    def start(self):
        self.guard.start()
        self.all.start_relay()
        self.all.start_gateway()
        self.settled()

    def log(self, name):
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def settled(self):
        """Everybody is connected: the guard centre has heard both lines since now."""
        heard = len(self.guard.entries_of("linked"))
        wait_until(lambda: len(self.guard.entries_of("linked")) >= heard + 3, 30, lambda: self.told("the lines do not stand"))

    def press(self):
        """A button that was never pressed before: its number."""
        self.buttons += 1
        self.announce("press")
        return self.buttons

    def announce(self, what):
        self.button.stdin.write(f"{what} {self.buttons}\n")
        self.button.stdin.flush()
        self.button.stdout.readline()

    def told(self, what):
        logs = "\n".join(f"-- {name}\n{self.log(name)[-2500:]}" for name in ("gateway", "relay", "guard"))
        return f"{what}; panel {self.panel.shown[-6:]}\n{logs}"

    def stop(self):
        self.panel.stop()
        self.button.stdin.close()
        self.button.wait(10)
        self.all.stop()
        self.guard.kill9()
