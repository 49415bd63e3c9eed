"""The way of a press with the real daemons: ECHONET buttons at real gateways, the real relay, tomoshibi-guard over TLS and a mail
server, in a network namespace; while other gateways are connected and quiet, and while they upload all that the relay takes.
Beside it the floor: one fsync at each hop and one TLS round trip between them, pass by pass in between (press_floor/).

One press at a time, of one gateway after the other, the next when the panel says that the guard centre has it: a gateway may make
64 a minute. Times are those that the gateways report, from the datagram of the button on; the relay's part is the relay's own."""
import contextlib
import ctypes
import json
import os
import random
import shutil
import threading
import time

import generator
import measure
import stage
from press_boxes import Boxes
from press_figures import HOPS, PHASES, floor_hops, hops_of, summary
from press_town import DEVICE_PORT, LANE_PORT, MAIL_PORT, Floor, Guard, Mails, MailServer, Relay, Town

PRESSES, SMOKE_PRESSES, QUICK_PRESSES = 1_000, 12, 200
BOXES, SMOKE_BOXES = 20, 2
PRESSES_A_MINUTE = 60         # of a box; the relay takes 64
OTHERS = 1_000
RECORDS, MESSAGES = 6, 10     # slots in a message, messages of each gateway in an order of the generator
SLOTS_BACK = 100_000          # that far back begins what they upload: room for 16,000 messages of each
READY_S, CONNECT_S, UPLOAD_S = 60, 400, 200
CLONE_NEWNET = 0x40000000


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
