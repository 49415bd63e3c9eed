"""Scenarios of emergency_test.py that need more than one fault: a centre that refuses on every path, clocks that are wrong, a relay
that is away for long, a full outbox, a thousand other gateways. Each leaves everything as it was, or has a stage of its own."""
import contextlib
import json
import pathlib
import statistics
import subprocess
import sys
import threading
import time

import harness
import product
from emergency_stage import DELIVERED_S, DIRECT_AFTER_S, SETTLE_S, UNDELIVERED_AFTER_S, Press, firewall
from guard_centre import LANE_PORT, PORT
from stage import wait_until

sys.path.append(str(harness.ROOT / "tools/bench.d"))
import generator  # noqa: E402

HOUR_S = 3600
SECOND_PORT = 12001
OTHERS = 1000              # gateways beside the one whose button is pressed
OTHERS_LIMIT_S = 120
PRESSES_MAX = 40           # in a row: the relay takes 64 a minute of one gateway
KILLED_AT = (10, 20)
UPLOAD_LIMIT_S = 60
BACKLOG_RECORDS, BACKLOG_APPLIANCES = 3200, 32    # 102,400 slots, 33 days: the outbox is for 40 days, 32 appliances are the most
BACKLOG_WATCHED = [product.Appliance(f"sensor-{n}", f"sensor {n}", f"0007{n:02x}", None, "60")
                   for n in range(1, BACKLOG_APPLIANCES + 1)]


def test_program(name):
    path = pathlib.Path(harness.binary("tomoshibi-gateway")).parents[1] / "test_bin" / name
    if not path.exists():
        harness.fail(f"{path} is not built")
    return str(path)


def restart(way, gateway_wrap=(), relay_wrap=()):
    way.all.stop()
    way.all.wrap = list(relay_wrap)
    way.all.start_relay()
    way.all.wrap = list(gateway_wrap)
    way.all.start_gateway()
    way.all.wrap = []


# ---- a centre that refuses

def duh(way):
    """The one receiver cannot process it, on either path: visible, no line; the press comes through when the receiver is well."""
    way.guard.order("misbehave answer=duh count=0")
    press = Press(way).shows("not_delivered", UNDELIVERED_AFTER_S + 10)
    if "accepted" in press.words() or len(way.guard.booked()) != press.before:
        harness.fail(way.told(f"refused, and yet {press.words()}"))
    way.guard.order("clear")
    return press.delivered(90)


def second_receiver(way):
    """The first receiver refuses what it hears, the second takes it: one line in all, by the relay's path and by the direct one."""
    second = way.guard.beside(SECOND_PORT)
    second.start()
    files = [way.all.relay_folder / "relay.toml", way.all.box / "gateway.toml"]
    before = [path.read_text() for path in files]
    one = f'receivers = ["tls://127.0.0.1:{PORT}"]'
    both = f'receivers = ["tls://127.0.0.1:{PORT}", "tls://127.0.0.1:{SECOND_PORT}"]'
    for path, text in zip(files, before):
        path.write_text(text.replace(one, both))
    said = []
    try:
        restart(way)
        way.settled()
        way.guard.order("misbehave answer=duh count=0")
        for relay_there in (True, False):
            if not relay_there:
                way.all.relay.kill9()
            first, other = len(way.guard.booked()), len(second.booked())
            press = Press(way).shows("accepted")
            time.sleep(SETTLE_S)
            if (len(way.guard.booked()), len(second.booked())) != (first, other + 1):
                harness.fail(way.told(f"{len(way.guard.booked()) - first} lines here, {len(second.booked()) - other} there"))
            way.announce("release")
            said.append(f"{'by the relay' if relay_there else 'directly'}: {press.took():.0f} ms")
    finally:
        way.guard.order("clear")
        for path, text in zip(files, before):
            path.write_text(text)
        restart(way)
        second.stop()
    way.settled()
    return "; ".join(said)


# ---- a line on which everything takes two seconds

# "PORT TARGET_PORT" pairs as arguments: each byte arrives so much later, in order, either way; so does the end.
DELAYER = """
import asyncio, sys
async def pump(reader, writer):
    loop, waiting = asyncio.get_running_loop(), asyncio.Queue()
    async def send():
        while True:
            at, data = await waiting.get()
            await asyncio.sleep(at - loop.time())
            if not data:
                break
            writer.write(data)
        writer.close()
    task = asyncio.create_task(send())
    try:
        while data := await reader.read(65536):
            waiting.put_nowait((loop.time() + DELAY, data))
    except OSError:
        pass
    waiting.put_nowait((loop.time() + DELAY, b""))
    await task
async def serve(port, target):
    async def on_call(reader, writer):
        try:
            far, near = await asyncio.open_connection("127.0.0.1", target, local_addr=("127.0.0.9", 0))
        except OSError:
            return writer.close()
        await asyncio.gather(pump(reader, near), pump(far, writer), return_exceptions=True)
    return await asyncio.start_server(on_call, "127.0.0.1", port)
async def main():
    for pair in sys.argv[2:]:
        await serve(*map(int, pair.split(":")))
    print("ready", flush=True)
    await asyncio.Event().wait()
DELAY = float(sys.argv[1])
asyncio.run(main())
"""
LATE_S = 2


def delay(way):
    """2 s each way between gateway and relay, relay and centre, gateway and centre: slower than any wait of a healthy line."""
    ports = {LANE_PORT: 28444, PORT: 22000}
    late = subprocess.Popen(way.namespace.exec([sys.executable, "-c", DELAYER, str(LATE_S), *(f"{via}:{to}" for to, via in ports.items())]),
                            stdout=subprocess.PIPE, text=True, preexec_fn=harness.die_with_parent)
    late.stdout.readline()
    heal = firewall(way, *(f"ip saddr != 127.0.0.9 tcp dport {to} redirect to :{via}" for to, via in ports.items()),
                    hook="type nat hook output priority -100")
    try:
        restart(way)
        way.settled()
        said = [Press(way).delivered(90) for _ in range(2)]
    finally:
        heal()
        late.kill()
        late.wait()
    restart(way)
    way.settled()
    return "; ".join(said)


# ---- clocks

def wrong(seconds, trusted=False):
    out = ["env", f"LD_PRELOAD={test_program('libwrong_clock.so')}", f"WRONG_CLOCK_S={seconds}"]
    return out + ["WRONG_CLOCK_TRUSTED=1"] if trusted else out


def clocks(way):
    """An hour off, before and behind: the gateway's clock, known as unsure or believed to be right; the relay's; the centre's. By the
    relay and directly. What the centre refuses for its time is corrected by the centre's time, and nobody's clock is touched."""
    said = []
    for shift in (HOUR_S, -HOUR_S):
        for name, gateway, relay in (("unsure box", wrong(shift), ()), ("sure box", wrong(shift, True), ()),
                                     ("relay", (), wrong(shift, True))):
            restart(way, gateway, relay)
            way.settled()
            allowed = {"unsure box": {0}, "sure box": {0, shift}, "relay": {0, shift, None}}[name]
            said.append(by_both_paths(way, f"{name} {shift:+} s", lambda w=relay: start_relay(way, w), allowed))
        way.guard.kill9()
        way.guard.start(wrong(shift))
        restart(way)
        way.settled()
        said.append(by_both_paths(way, f"centre {shift:+} s", lambda: start_relay(way, ()), {-shift}))
        way.guard.kill9()
        way.guard.start()
    restart(way)
    way.settled()
    return f"{len(said)} clocks, two presses each"


def start_relay(way, wrap):
    way.all.wrap = list(wrap)
    way.all.start_relay()
    way.all.wrap = []


def by_both_paths(way, name, relay_again, occurred_off):
    """`occurred_off`: by how many seconds the time of occurrence may be wrong, against the centre's. A box that is not sure of its clock
    takes the relay's time and keeps it while the relay is gone; a clock from before the program was built is not believed at all, nor
    an unsure one from before the last slot made. None: a box that knows no time says none."""
    wait_until(lambda: "mod=uplink evt=live" in way.all.gateway.said(), 30, lambda: way.told("no uplink"))  # the relay has told its time
    by_relay = Press(way).delivered(60)
    judge_occurred(way, name, occurred_off)
    way.all.relay.kill9()
    directly = Press(way).delivered(60)
    judge_occurred(way, name, occurred_off)
    relay_again()
    way.settled()
    print(f"    {name}: {by_relay}; directly {directly}", flush=True)
    return name


def judge_occurred(way, name, allowed):
    entry = way.guard.booked()[-1]
    said = (entry["occurred_ms"] - entry["at_ms"]) / 1000 if "occurred_ms" in entry else None
    if not any(said is off or None not in (said, off) and abs(said - off) < 60 for off in allowed):
        harness.fail(way.told(f"{name}: the centre hears that it occurred {said} s from when it came: {entry}"))


# ---- a relay that is away

def relay_away(way):
    """For long (--away-s): each press goes directly, and when the relay is back it sends none of them again, but knows of all."""
    way.all.relay.kill9()
    began, booked, presses = time.monotonic(), len(way.guard.booked()), 0
    while time.monotonic() < began + way.away_s:
        print(f"    after {time.monotonic() - began:.0f} s: {Press(way).delivered()}", flush=True)
        presses += 1
        time.sleep(max(0, min(way.away_s / 6, began + way.away_s - time.monotonic())))
    way.all.start_relay()
    way.settled()
    wait_until(lambda: way.known_to_relay()[-presses:] == [("direct", "delivered")] * presses, DELIVERED_S,
               lambda: way.told(f"the relay knows {way.known_to_relay()}"))
    way.no_more_lines(booked + presses, "the relay is back")
    return f"away for {way.away_s} s, {presses} presses, {Press(way).delivered()} afterwards"


# ---- a full outbox, and a thousand others: each on a stage of its own

def metric(way, name):
    """The sum over the labels."""
    page = harness.run(way.namespace.exec(["curl", "-s", f"http://127.0.0.1:{product.PAGES_PORT}/metrics"]))
    return sum(float(line.rsplit(" ", 1)[1]) for line in page.splitlines()
               if line.startswith((f"tomoshibi_relay_{name} ", f"tomoshibi_relay_{name}{{")))


def backlog(way):
    """100,000 slots wait in the gateway's outbox. A press waits for none of them: while nothing moves, directly when the relay is gone,
    and while all of it is uploaded as fast as it goes."""
    state = way.all.box / "state"
    state.mkdir(mode=0o700, exist_ok=True)
    filled = json.loads(harness.run([test_program("fill_outbox"), str(state / "outbox.db"), str(BACKLOG_RECORDS), str(BACKLOG_APPLIANCES)]))
    heal = firewall(way, f"tcp dport {product.DEVICE_PORT} drop")  # the lane has a port of its own
    way.start()
    said = [f"{filled['slots']} slots waiting: {Press(way).delivered()}"]
    way.all.relay.kill9()
    said.append(f"relay gone: {Press(way).delivered()}")
    way.all.start_relay()
    way.settled()
    booked, took = len(way.guard.booked()), []
    heal()
    wait_until(lambda: "mod=uplink evt=live" in way.all.gateway.said(), 60, lambda: way.told("no uplink"))
    upload = Upload(way)
    while not upload.lasted and len(took) < PRESSES_MAX:
        press = Press(way).shows("accepted")
        if "not_delivered" in press.words():
            harness.fail(way.told(f"the panel showed {press.words()} during the upload"))
        took.append(press.took())
        way.announce("release")
    lasted = wait_until(lambda: upload.lasted, UPLOAD_LIMIT_S, lambda: way.told("the backlog is not uploaded"))
    way.no_more_lines(booked + len(took), "after the upload")
    if max(took) > DIRECT_AFTER_S * 1000:
        harness.fail(way.told(f"a press waited for the backlog: {took}"))
    said.append(f"{len(took)} presses in the {lasted:.2f} s of the upload: {spread(took)}")
    return "; ".join(said)


class Upload:
    """From now until the relay has stored all of the backlog: `lasted` seconds, 0 before."""

    def __init__(self, way):
        self.way, self.began, self.lasted = way, time.monotonic(), 0
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self):
        while metric(self.way, "slots_stored_total") < BACKLOG_RECORDS:
            if time.monotonic() > self.began + UPLOAD_LIMIT_S:
                return
        self.lasted = time.monotonic() - self.began


def spread(took):
    return f"median {statistics.median(took):.0f}, max {max(took):.0f} ms"


class Others:
    """A thousand gateways, device channel and lane, whose connections are cut and dialled again, again and again."""

    def __init__(self, way):
        self.way = way
        self.fleet = type("Fleet", (), {"secrets": way.folder / "fleet.pem", "relay": way.all.relay_folder})
        harness.run([harness.binary("tomoshibi-load"), "enrol", str(self.fleet.relay), "--count", str(OTHERS),
                     "--fleet", str(self.fleet.secrets)])
        self.stopping, self.back, self.late = threading.Event(), {"tomoshibi": 0, "lane": 0}, None

    def __enter__(self):
        self.loads = {protocol: generator.Load(self.fleet, OTHERS, port, self.way.folder / f"load-{protocol}.log", protocol=protocol,
                                               namespace=self.way.namespace)
                      for protocol, port in (("tomoshibi", product.DEVICE_PORT), ("lane", LANE_PORT))}
        for load in self.loads.values():
            load.__enter__()
            load.must(f"connect {OTHERS} window {OTHERS_LIMIT_S}")
        self.threads = [threading.Thread(target=self._go_on, args=(protocol,)) for protocol in self.loads]
        for thread in self.threads:
            thread.start()
        return self

    def _go_on(self, protocol):
        while not self.stopping.is_set() and self.late is None:
            answer = self.loads[protocol].order(f"hangup {OTHERS_LIMIT_S}")
            self.back[protocol] += answer["handshakes"]
            if not answer["in_time"]:
                self.late = answer

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        for load in self.loads.values():
            load.__exit__()


def storm(way):
    """1,000 other gateways reconnect all the time, twice because the relay was killed, while presses are made."""
    with contextlib.ExitStack() as stack:
        others = Others(way)
        way.start()
        stack.enter_context(others)
        took, booked = [], len(way.guard.booked())
        for number in range(PRESSES_MAX):
            killed = number in KILLED_AT
            if killed:
                way.all.relay.kill9()
                way.all.start_relay()
            press = Press(way).shows("accepted", 60)
            took.append(press.took())
            if "not_delivered" in press.words() and not killed:
                harness.fail(way.told(f"press {number}: {press.words()}"))
            way.announce("release")
            time.sleep(0.2)
        way.no_more_lines(booked + len(took), "in the storm")
    if others.late:
        harness.fail(way.told(f"the others did not come back: {others.late}"))
    way.settled()
    way.no_more_lines(booked + len(took), "after the storm")
    calm = [ms for number, ms in enumerate(took) if number not in KILLED_AT]
    return (f"{len(took)} presses, {others.back['tomoshibi']} connections and {others.back['lane']} lanes of others meanwhile: "
            f"{spread(calm)}; with the relay killed {', '.join(f'{took[n]:.0f}' for n in KILLED_AT)} ms")
