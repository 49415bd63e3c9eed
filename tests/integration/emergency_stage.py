"""The way of a press with the real daemons: a gateway, a relay, a guard centre and a mail server in a network namespace, and a
button that shares no code with the product."""
import pathlib
import re
import subprocess
import sys
import threading
import time

import harness
import product
from guard_centre import GuardCentre, lines_stand
from stage import wait_until

ACCOUNT, KEY = "0A12", "000102030405060708090A0B0C0D0E0F"
DIRECT_AFTER_S, UNDELIVERED_AFTER_S = 3, 10
DELIVERED_S = 25           # on a busy machine; the fault is over by then
SETTLE_S = 0.7             # a second line of the list would come now
FORWARD = ["calling", "received", "accepted"]

# An ECHONET node of class 0x0003 for each line "press N" or "release N" on standard input: it only announces (INF of 0xB1).
BUTTON = """
import socket, sys
for line in sys.stdin:
    what, n = line.split()
    address = f"127.0.{1 + int(n) // 250}.{1 + int(n) % 250}"
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
    s.bind((address, 3610))
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


class Way:
    """All of it, running."""

    def __init__(self, namespace, folder, mail, appliances=()):
        self.namespace, self.folder, self.mail = namespace, pathlib.Path(folder), mail
        self.all = product.Product(namespace, folder, None)
        self.buttons = 0
        contacts = [{"name": "Aki", "mail": "aki@example.net", "lang": "en"}] if mail else []
        self.all.set_up("Kita", list(appliances), contacts, None, mail=mail.settings if mail else None)
        self.guard = GuardCentre(namespace, self.folder / "centre", ACCOUNT, KEY)
        self.guard.join(self.all, {"direct_after_s": DIRECT_AFTER_S, "undelivered_after_s": UNDELIVERED_AFTER_S})
        self.panel = Panel(self.folder / "gateway.log")
        self.button = subprocess.Popen(namespace.exec([sys.executable, "-c", BUTTON]), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       text=True, preexec_fn=harness.die_with_parent)

    def start(self):
        self.guard.start()
        self.all.start_relay()
        self.all.start_gateway()
        self.settled()

    def log(self, name):
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def settled(self):
        """Everybody is connected."""
        wait_until(lambda: lines_stand(self.all), 30, lambda: self.told("the lines do not stand"))

    def press(self):
        """A button that was never pressed before: its number."""
        self.buttons += 1
        self.announce("press")
        return self.buttons

    def announce(self, what):
        self.button.stdin.write(f"{what} {self.buttons}\n")
        self.button.stdin.flush()
        self.button.stdout.readline()

    def known_to_relay(self):
        """Path and state of every press, the oldest first."""
        presses = self.all.ctl_json("emergency", "list", self.all.home, "--json")
        return [(p["path"], p["state"]) for p in sorted(presses, key=lambda p: p["known"])]

    def no_more_lines(self, booked, what):
        """The list is `booked` lines long and stays so. That nothing comes shows only in time: the wait is the claim."""
        time.sleep(SETTLE_S)
        if len(self.guard.booked()) != booked:
            harness.fail(self.told(f"{what}: {len(self.guard.booked())} lines of the list, {booked} are right"))

    def told(self, what):
        logs = "\n".join(f"-- {name}\n{self.log(name)[-2500:]}" for name in ("gateway", "relay", "centre/guard"))
        return f"{what}; panel {self.panel.shown[-6:]}\n{logs}"

    def stop(self):
        self.panel.stop()
        self.button.stdin.close()
        self.button.wait(10)
        self.all.stop()
        self.guard.kill9()


class Press:
    """One press and what must become of it."""

    def __init__(self, way):
        self.way, self.before, self.seen = way, len(way.guard.booked()), len(way.panel.shown)
        self.at = time.monotonic()
        self.number = way.press()

    def words(self):
        return [word for _, word in self.way.panel.shown[self.seen:]]

    def shows(self, word, seconds=DELIVERED_S):
        wait_until(lambda: word in self.words(), seconds, lambda: self.way.told(f"press {self.number} never showed {word}"))
        return self

    def delivered(self, seconds=DELIVERED_S):
        """One line of the list, and the panel says so, after the centre had it."""
        self.shows("accepted", seconds)
        self.way.no_more_lines(self.before + 1, f"press {self.number}")
        forward = [w for w in self.words() if w in FORWARD]
        if forward != sorted(forward, key=FORWARD.index):
            harness.fail(self.way.told(f"press {self.number} went back: {self.words()}"))
        self.way.announce("release")
        return f"{self.took():.0f} ms, {' '.join(self.words())}"

    def took(self):
        """Milliseconds until the panel said that the centre has it."""
        return (next(at for at, word in self.way.panel.shown[self.seen:] if word == "accepted") - self.at) * 1000


def firewall(way, *rules, hook="type filter hook input priority 0"):
    """Packets are swallowed: no reset, as on a line that is cut. Answers how to heal it."""
    nft = "\n".join(["table inet tms {", f"chain c {{ {hook};", *rules, "}", "}"])
    harness.run(way.namespace.exec(["nft", "-f", "-"]), input=nft)
    return lambda: harness.run(way.namespace.exec(["nft", "delete", "table", "inet", "tms"]))
