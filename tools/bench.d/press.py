"""The way of a press with the real daemons: ECHONET buttons at real gateways, the real relay, tomoshibi-guard over TLS and a mail
server, in a network namespace; while other gateways are connected and quiet, and while they upload all that the relay takes.
Beside it the floor: one fsync at each hop and one TLS round trip between them, pass by pass in between (press_floor/).

One press at a time, of one gateway after the other, the next when the panel says that the guard centre has it: a gateway may make
64 a minute. Times are those that the gateways report, from the datagram of the button on; the relay's part is the relay's own."""
import contextlib
import ctypes
import json
import math
import os
import random
import re
import selectors
import shutil
import socket
import socketserver
import subprocess
import sys
import threading
import time
import urllib.request

import generator
import measure
import servers
import stage

PRESSES, SMOKE_PRESSES, QUICK_PRESSES = 1_000, 12, 200
BOXES, SMOKE_BOXES = 20, 2
PRESSES_A_MINUTE = 60         # of a box; the relay takes 64
OTHERS = 1_000
DEVICE_PORT, LANE_PORT, PAGES_PORT, GUARD_PORT, MAIL_PORT = 8443, 8444, 9464, 12000, 2525
RECORDS, MESSAGES = 6, 10     # slots in a message, messages of each gateway in an order of the generator
SLOTS_BACK = 100_000          # that far back begins what they upload: room for 16,000 messages of each
READY_S, SHOWN_S, CONNECT_S, UPLOAD_S = 60, 40, 400, 200
CLONE_NEWNET = 0x40000000
PHASES = ("quiet", "uploading")
HOPS = ("durable", "stored", "centre", "shown", "whole")
PART_GOAL_MS = {"quiet": 1, "uploading": 10}


@contextlib.contextmanager
def inside(namespace):
    """What this thread opens and starts is in the namespace."""
    libc = ctypes.CDLL(None, use_errno=True)

    def enter(path):
        with open(path, "rb") as there:
            if libc.setns(there.fileno(), CLONE_NEWNET) != 0:
                stage.fail(f"{path} cannot be entered: {os.strerror(ctypes.get_errno())}")

    with open("/proc/thread-self/ns/net", "rb") as back:
        enter(f"/run/netns/{namespace.name}")
        try:
            yield
        finally:
            enter(f"/proc/self/fd/{back.fileno()}")


# ---- who takes part

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


class Box:
    """A gateway with a button node that only announces, and its panel as it says it in its log."""

    def __init__(self, town, number):
        self.folder, self.number, self.presses = town.box(number), number, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((f"127.0.1.{number}", 3610))
        self.rest, self.words = b"", []
        self.popen = subprocess.Popen([stage.binary("tomoshibi-gateway"), "--config", str(self.folder / "gateway.toml")],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                      preexec_fn=stage.die_with_parent)
        os.set_blocking(self.popen.stderr.fileno(), False)

    def press(self):
        """INF of 0xB1 (alarm status: 0x41), to this gateway alone. Each time another object of class 0x0003 (there can be 127): again
        the same one within a minute would be the same press."""
        self.presses += 1
        self.words.clear()
        self.socket.sendto(bytes.fromhex(f"108100010003{self.presses:02x}05ff017301b10141"), (f"127.0.2.{self.number}", 3610))

    def read(self):
        data = self.popen.stderr.read() or b""
        if self.popen.poll() is not None:
            stage.fail(f"gateway {self.number} ended with {self.popen.returncode}: {(self.rest + data)[-800:].decode(errors='replace')}")
        with open(self.folder / "gateway.log", "ab") as log:
            log.write(data)
        whole, _, self.rest = (self.rest + data).rpartition(b"\n")
        self.words += [w.decode() for w in re.findall(rb"mod=panel evt=shown word=(\w+)", whole)]

    def stop(self):
        self.popen.terminate()
        try:
            self.popen.wait(20)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        self.popen.stderr.close()
        self.socket.close()


class Boxes:
    def __init__(self, town):
        self.all = [Box(town, n) for n in range(1, town.count + 1)]
        self.selector = selectors.DefaultSelector()
        for box in self.all:
            self.selector.register(box.popen.stderr, selectors.EVENT_READ, box)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for box in self.all:
            box.stop()
        self.selector.close()

    def drain(self, seconds):
        for key, _ in self.selector.select(seconds):
            key.data.read()

    def press(self, box):
        """Answers whether its panel came to say that the guard centre has it."""
        box.press()
        until = time.monotonic() + SHOWN_S
        while "accepted" not in box.words:
            if time.monotonic() > until:
                return False
            self.drain(0.5)
        return True


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


# ---- a phase

class Upload:
    """While it lasts the other gateways send all that the relay takes."""

    def __init__(self, load):
        self.load, self.done, self.seconds, self.drops = load, 0, 0.0, 0
        self.stopping, self.failure = threading.Event(), None
        self.thread = threading.Thread(target=self.run)

    def run(self):
        try:
            while not self.stopping.is_set() and self.done < SLOTS_BACK // RECORDS * self.load.count * 0.9:
                answer = self.load.must(f"ingest {MESSAGES} {UPLOAD_S}")
                self.done += answer["acknowledged"]
                self.seconds += answer["seconds"]
                self.drops += answer["drops"]
        except stage.Failure as failure:
            self.failure = failure

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()
        if self.failure:
            raise self.failure

    def per_s(self):
        return self.done / self.seconds if self.seconds else 0


def wait_until(holds, what):
    until = time.monotonic() + READY_S
    while not holds():
        if time.monotonic() > until:
            stage.fail(what() if callable(what) else what)
        time.sleep(0.05)


def settled(town, boxes, relay, others):
    """Every lane stands, and the guard centre answers."""
    def standing():
        boxes.drain(0)
        now = relay.emergency()
        return now["lanes_up"] == others + town.count and now["guard_link"] == "up"
    wait_until(standing, lambda: f"not all lanes stand: {relay.emergency()}; logs are in {town.folder}")


def presses(count, boxes, floor, chance):
    """So many, in turn; answers the passes of the floor and how many panels did not say "accepted" in time."""
    few = count * len(PHASES) <= PRESSES_A_MINUTE * len(boxes.all)
    each_s = 0.02 if few else 60 / PRESSES_A_MINUTE / len(boxes.all)
    passes, silent, at = [], 0, time.monotonic()
    for number in range(count):
        at = max(at + each_s, time.monotonic())
        until = at + chance.random() * each_s / 2
        while (left := until - time.monotonic()) > 0:
            boxes.drain(left)
        silent += 0 if boxes.press(boxes.all[number % len(boxes.all)]) else 1
        passes.append(floor.one())
    return passes, silent


def rows_since(town, known):
    """What the relay's book has of presses that were not there before, once all are closed."""
    fresh = []
    def closed():
        nonlocal fresh
        fresh = [json.loads(line) for line in town.ctl("emergency", "list", "--json").splitlines() if line.strip()]
        fresh = [p for p in fresh if p["press"] not in known]
        return all(p["closed"] for p in fresh)
    with contextlib.suppress(stage.Failure):
        wait_until(closed, "not closed")
    return fresh


def hops_of(press):
    """Microseconds of each hop; press_hop in relay/core/emergency/delays.hpp."""
    at = [press.get(key) for key in ("durable_us", "received_us", "accepted_us", "shown_us")]
    if press["path"] != "relay" or press["interrupted"] or any(t is None for t in at):
        return None
    durable, received, accepted, shown = at
    return {"durable": durable, "stored": received - durable, "centre": accepted - received, "shown": shown - accepted, "whole": shown}


def summary(values_us):
    """Milliseconds; percentiles are nearest rank, as in the report."""
    values = sorted(values_us)
    rank = lambda share: values[max(0, math.ceil(share * len(values)) - 1)] / 1e3  # noqa: E731
    return {"n": len(values), "min": values[0] / 1e3, "mean": sum(values) / len(values) / 1e3, "p50": rank(0.5), "p95": rank(0.95),
            "p99": rank(0.99), "max": values[-1] / 1e3}


def floor_hops(passes):
    return {"durable": [p["durable_us"] for p in passes], "stored": [p["received_us"] - p["durable_us"] for p in passes],
            "centre": [p["accepted_us"] - p["received_us"] for p in passes], "whole": [p["accepted_us"] for p in passes],
            "part": [p["relay_us"] for p in passes]}


def judge(town, rows, count, silent, guard):
    """Counts of one phase. Lost: no valid acknowledgement in 30 s, by whichever path."""
    booked = guard.booked()
    lost = sum(1 for p in rows if p["state"] in ("late", "never"))
    wrong = [p["press"] for p in rows if booked.get(p["press"].upper(), booked.get(p["press"].lower(), 0)) != 1]
    if len(rows) != count or silent or wrong:
        stage.fail(f"{count} presses, {len(rows)} in the relay's book, {silent} panels without an answer, not once in the guard "
                   f"centre's list: {wrong[:5]}; logs are in {town.folder}")
    return {"presses": len(rows), "delivered": sum(1 for p in rows if p["state"] == "delivered"), "lost": lost,
            "direct": sum(1 for p in rows if p["path"] == "direct")}


def counted_part(relay, wanted):
    """The relay's own word, of at most its last thousand presses. What it shows is a second old."""
    wait_until(lambda: relay.emergency()["receipts"]["n"] >= wanted, lambda: f"the relay does not know of {wanted} presses")
    return relay.emergency()["receipts"]


def phase(town, boxes, relay, guard, floor, count, known, chance):
    passes, silent = presses(count, boxes, floor, chance)
    rows = rows_since(town, known)
    known.update(p["press"] for p in rows)
    out = judge(town, rows, count, silent, guard)
    timed = [h for h in map(hops_of, rows) if h]
    if not timed:
        stage.fail(f"no press went by the relay with its times: {rows[:2]}")
    out["hops"] = {hop: summary([h[hop] for h in timed]) for hop in HOPS}
    out["floor"] = {hop: summary(values) for hop, values in floor_hops(passes).items()}
    part = counted_part(relay, min(count, PRESSES))
    out["part"] = {key[:-3]: value / 1e3 for key, value in part.items() if key != "n"} | {"n": part["n"]}
    return out


def told(name, of, say):
    whole, floor, part = of["hops"]["whole"], of["floor"]["whole"], of["part"]
    say(f"others {name}: {of['presses']} presses, {of['lost']} lost, to the panel mean {whole['mean']:.1f}, p99 {whole['p99']:.1f}, max "
        f"{whole['max']:.1f} ms (floor {floor['mean']:.1f}, {floor['p99']:.1f}, {floor['max']:.1f}); the relay's part p99 "
        f"{part['p99']:.2f} ms (floor {of['floor']['part']['p99']:.2f})"
        + (f"; {of['upload_per_s']:.0f} messages/s meanwhile" if "upload_per_s" in of else ""))


def one_round(town, fleet, others, count, results, say, chance):
    with contextlib.ExitStack() as stack:
        mails = stack.enter_context(MailServer(("127.0.0.1", MAIL_PORT), Mails))
        guard = stack.enter_context(Guard(town))
        relay = stack.enter_context(Relay(fleet, town.folder))
        boxes = stack.enter_context(Boxes(town))
        floor = stack.enter_context(Floor(town))
        load = stack.enter_context(generator.Load(fleet, others, DEVICE_PORT, town.folder / "load.log", records=RECORDS,
                                                  slots_back=SLOTS_BACK))
        lanes = stack.enter_context(generator.Load(fleet, others, LANE_PORT, town.folder / "lanes.log", protocol="lane"))
        known = set()
        for each in (load, lanes):
            each.must(f"connect {others} window {CONNECT_S}")
        for name in PHASES:
            settled(town, boxes, relay, others)
            args = (town, boxes, relay, guard, floor, count, known, chance)
            if name == "uploading":
                with Upload(load) as upload:
                    time.sleep(min(1.0, count / 100))
                    of = phase(*args)
                    if not upload.thread.is_alive():
                        stage.fail(f"the upload ended before the presses did: {upload.done} messages, {upload.failure}")
                of["upload_per_s"] = upload.per_s()
                if upload.drops:
                    stage.fail(f"{upload.drops} gateways lost their connection while they uploaded")
            else:
                of = phase(*args)
            of["load_average"] = measure.load_average()
            results.setdefault("press", {}).setdefault(name, []).append(of)
            told(name, of, say)
            if name != PHASES[-1]:   # so that the relay counts its part anew
                relay.end()
                relay.start()
                for each in (load, lanes):
                    each.must(f"await {CONNECT_S}")
        report = json.loads(town.ctl("emergency", "report", "--json"))["all"]["presses"]
        results["press"].setdefault("report", []).append(report)
        results["press"].setdefault("mails", []).append(mails.taken)
        if report["lost"] or report["open"] or report["delivered"] != count * len(PHASES):
            say(f"the relay's report: {report}")


def way(options, folder, fleet, results, say):
    if os.geteuid() != 0 or shutil.which("ip") is None:
        say("the way of a press is not measured: a network namespace needs root and the command 'ip'")
        return
    count = SMOKE_PRESSES if options.smoke else QUICK_PRESSES if options.quick else PRESSES
    others, chance = min(OTHERS, fleet.count), random.Random(4)
    with stage.Namespace("press") as namespace, inside(namespace):
        for number in range(options.rounds):
            here = folder / f"press-{number}"
            here.mkdir(parents=True)
            town = Town(fleet, here, SMOKE_BOXES if options.smoke else BOXES)
            one_round(town, fleet, others, count, results, say, chance)


# ---- the table

def rows(results):
    out = []
    for name in PHASES:
        rounds = results.get("press", {}).get(name)
        if rounds:
            out += rows_of(name, rounds)
    return out


def rows_of(name, rounds):
    """Medians over the rounds; of what is a maximum, the maximum."""
    def of(*path):
        values = [v for v in (value_at(r, path) for r in rounds) if v is not None]
        return max(values, default=None) if path[-1] == "max" else measure.median(values)

    out = []

    def add(what, *path, goal="", at_most=None):
        ours, floor = of(*path), of("floor", *path[1:]) if path[0] == "hops" else of("floor", *path)
        out.append({"what": f"{what}, ms; others {name}", "ours": ours, "floor": floor, "ratio": floor and ours / floor, "goal": goal,
                    "met": None if at_most is None else ours <= at_most, "digits": 2})

    for key in ("mean", "p99", "max"):
        add(f"press to the panel with the centre's ACK, {key}", "hops", "whole", key)
    for hop, what in (("durable", "press to the box's disk"), ("stored", "to the relay's disk and back"),
                      ("centre", "to the centre's disk and its ACK back"), ("shown", "to the box's disk and panel")):
        add(f"of it {what}, p99", "hops", hop, "p99")
    goal = PART_GOAL_MS[name]
    add("the relay's part, receipt to durable and said so, p99", "part", "p99", goal=f"<= {goal}", at_most=goal)
    n, lost = sum(r["presses"] for r in rounds), sum(r["lost"] for r in rounds)
    bound = f" (with 95 % certainty fewer than {3 / n:.2%})" if not lost else ""
    out.append({"what": f"lost of {n:,} presses{bound}; others {name}", "ours": lost, "goal": "0", "met": lost == 0, "digits": 0})
    if uploaded := of("upload_per_s"):
        out.append({"what": "messages/s of the others meanwhile", "ours": uploaded, "digits": 0})
    return out


def value_at(of, path):
    for key in path:
        of = of.get(key) if isinstance(of, dict) else None
    return of
