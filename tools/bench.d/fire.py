"""Scenarios with many connections: memory of idle ones, ingest, everybody back, a restart, a misbehaving gateway, a reader."""
import contextlib
import subprocess
import tempfile
import threading
import time

import generator
import measure
import servers
import stage

MESSAGES = 5              # of each gateway in an ingest round
RECORDS = 6               # slots of five appliances in a message of ours: about 394 bytes
LIVE_MESSAGES = 20        # of each gateway, one slot each
CONNECT_LIMIT_S = 400
LIMIT_S = 200
SETTLE_S = 2


class Side:
    """One server with its gateways, connected for the whole run."""

    def __init__(self, server, load, results):
        self.server, self.load, self.results = server, load, results

    def note(self, key, value):
        self.results.setdefault(key, {}).setdefault(self.server.name, []).append(value)

    def connect(self, steps, say):
        """Connects step by step and notes the memory of an idle connection at each."""
        empty_kb = measure.rss_kb(self.server.front().pid)
        before = 0
        for count in steps:
            answer = self.load.must(f"connect {count} window {CONNECT_LIMIT_S}", self.server.processes)
            self.load.must(f"idle {SETTLE_S}")
            each = (measure.rss_kb(self.server.front().pid) - empty_kb) / count
            self.note(f"rss_kb_per_connection_{count}", each)
            fresh = count - before
            self.note("handshake_ms_cpu", answer["server_cpu_s"] / fresh * 1e3)
            before = count
            say(f"{self.server.name}: {count} connected in {answer['seconds']:.1f} s, {each:.1f} KB each, server "
                f"{answer['server_cpu_s'] / fresh * 1e3:.2f} ms of CPU and generator "
                f"{answer['load_cpu_s'] / fresh * 1e3:.2f} ms a handshake")

    def ingest(self, say):
        answer = self.load.must(f"ingest {MESSAGES} {LIMIT_S}", self.server.processes)
        wanted = MESSAGES * self.load.count
        if answer["acknowledged"] != wanted or answer["drops"]:
            stage.fail(f"{self.server.name}: {answer['acknowledged']} of {wanted} messages acknowledged, {answer['drops']} "
                       f"connections lost: {answer['failures']}")
        self.note("ingest_per_s", wanted / answer["seconds"])
        self.note("ingest_cpu_us", answer["server_cpu_s"] / wanted * 1e6)
        self.note("ingest_ack_p99_ms", answer["ack_ms"]["p99"])
        self.note("ingest_load_cpu_us", answer["load_cpu_s"] / wanted * 1e6)
        say(f"{self.server.name}: {wanted / answer['seconds']:.0f} messages/s, {answer['server_cpu_s'] / wanted * 1e6:.1f} us of CPU "
            f"each (generator {answer['load_cpu_s'] / wanted * 1e6:.1f}), ack p99 {answer['ack_ms']['p99']:.0f} ms")

    def steady(self, rate, seconds):
        answer = self.load.must(f"steady {rate} {seconds} {LIMIT_S}", self.server.processes)
        self.note("steady_ack_p50_ms", answer["ack_ms"]["p50"])
        self.note("steady_ack_p99_ms", answer["ack_ms"]["p99"])
        return answer

    def reconnect(self, say):
        """The lines are cut, the server lives on: everybody dials again."""
        answer = self.load.must(f"hangup {CONNECT_LIMIT_S}", self.server.processes)
        self.note("redial_s", answer["seconds"])
        self.note("redial_ms_cpu", answer["server_cpu_s"] / self.load.count * 1e3)
        self.note("redial_resumed_share", answer["resumed"] / max(1, answer["handshakes"]))
        say(f"{self.server.name}: all {self.load.count} back after a line cut in {answer['seconds']:.1f} s, "
            f"{answer['server_cpu_s'] / self.load.count * 1e3:.2f} ms of server CPU each, {answer['resumed']} resumed")

    def restart(self, say):
        self.server.end()
        began = time.monotonic()
        self.server.start()
        answer = self.load.must(f"await {CONNECT_LIMIT_S}", self.server.processes)
        took = time.monotonic() - began
        cpu = sum(measure.cpu_s(p.pid) for p in self.server.processes)
        self.note("restart_back_s", took)
        self.note("restart_ms_cpu", cpu / self.load.count * 1e3)
        self.note("restart_resumed_share", answer["resumed"] / max(1, answer["handshakes"]))
        say(f"{self.server.name}: all {self.load.count} back {took:.1f} s after a restart began, "
            f"{cpu / self.load.count * 1e3:.2f} ms of server CPU each, {answer['resumed']} resumed")


def sides(stack, options, folder, fleet, results):
    """Ours, the floor and the rival in both versions of TLS, each in its own process with its own generator."""
    wanted = [servers.Relay(fleet, folder / "ours")]
    if options.floor:
        wanted.append(servers.Floor(fleet, folder / "floor", RECORDS))
    if options.rival:
        wanted += [servers.Rival(fleet, folder / "rival-1.3", "1.3"), servers.Rival(fleet, folder / "rival-1.2", "1.2")]
    out = []
    for server in wanted:
        stack.enter_context(server)
        # So many that the newest one sent is of the present when the lines are cut: then nobody is blind but by our fault.
        slots = ((options.rounds + options.reader) * MESSAGES) * RECORDS + 2
        load = stack.enter_context(generator.Load(fleet, options.gateways, server.port, server.folder / "load.log",
                                                  protocol=server.protocol, tls=server.tls, records=RECORDS, slots_back=slots))
        results.setdefault("message_bytes", {})[server.name] = load.about["message_bytes"]
        out.append(Side(server, load, results))
    return out


def many(options, folder, fleet, results, say):
    """Everything that needs all gateways, interleaved: each round every side once."""
    with contextlib.ExitStack() as stack:
        all_sides = sides(stack, options, folder, fleet, results)
        for side in all_sides:
            side.connect(options.steps, say)
        for number in range(options.rounds):
            say(f"round {number + 1} of {options.rounds}: ingest, {MESSAGES * options.gateways} messages each")
            for side in all_sides:
                side.ingest(say)
        check_stored(options, all_sides[0].server)
        if options.reader:
            reader(all_sides[0], results, say)
        for number in range(options.rounds):
            say(f"round {number + 1} of {options.rounds}: {options.gateways} gateways back")
            for side in all_sides:
                side.reconnect(say)
        for number in range(options.restarts):
            say(f"restart {number + 1} of {options.restarts}")
            for side in all_sides:
                if side.server.name != "floor":
                    side.restart(say)
        ours = all_sides[0].server
        results["told"] = told = mails_and_alerts(ours)
        say(f"ours: after all of this {told['alerts']} alerts, {told['mails_sent'] + told['mails_waiting']:.0f} mails")
        if any(told.values()):
            stage.fail(f"a line cut and a restart led to alerts or mails: {told}")


def check_stored(options, relay):
    stored, wanted = relay.metric("slots_stored_total"), options.rounds * MESSAGES * RECORDS * options.gateways
    if stored != wanted:
        stage.fail(f"{stored:.0f} quarter hours stored, {wanted} were acknowledged")


def mails_and_alerts(relay):
    ctl = [stage.binary("tomoshibi-ctl"), "--dir", str(relay.relay)]
    alerts = [line for line in stage.run([*ctl, "alerts", "--all", "--json"]).splitlines() if line.strip()]
    return {"alerts": len(alerts), "mails_sent": relay.metric("mails_sent_total"), "mails_waiting": relay.metric("mails_queued")}


def reader(side, results, say):
    """While the relay takes all it can: the whole year of one home, then single days of it again and again."""
    relay = side.server
    ctl = [stage.binary("tomoshibi-ctl"), "--dir", str(relay.relay)]
    year = time.gmtime(time.time() - 200 * 86_400)
    date = time.strftime("%Y-%m-%d", year)
    whole, times, stop = [], [], threading.Event()

    def timed(*words):
        began = time.perf_counter()
        subprocess.run([*ctl, *words], stdout=subprocess.DEVNULL, check=True)
        return (time.perf_counter() - began) * 1e3

    def read():
        with tempfile.TemporaryDirectory() as folder:
            whole.append(timed("export", "1", f"{folder}/home-1"))
        while not (stop.is_set() and times):
            times.append(timed("usage", "1", date, "--json"))

    thread = threading.Thread(target=read)
    thread.start()
    answer = side.load.must(f"ingest {MESSAGES} {LIMIT_S}", relay.processes)
    stop.set()
    thread.join()
    results["read_while_ingest"] = {"day_pages": len(times), "page_ms_median": measure.median(times),
                                    "page_ms_max": max(times), "year_ms": whole[0],
                                    "ingest_per_s": MESSAGES * side.load.count / answer["seconds"]}
    say(f"ours: a day's page read while ingest is saturated: median {measure.median(times):.0f} ms (a process each), "
        f"the whole year as JSON {whole[0]:.0f} ms; ingest "
        f"{MESSAGES * side.load.count / answer['seconds']:.0f} messages/s meanwhile")


def misbehaving(options, folder, fleet, results, say):
    """The acknowledgement times of well-behaved gateways, alone and beside one that misbehaves."""
    count, rate, seconds = min(1_000, fleet.count - 1), 1_000, options.steady_s
    with servers.Relay(fleet, folder / "mad") as relay, \
            generator.Load(fleet, count, relay.port, folder / "mad/load.log", records=1, slots_back=1300) as load:
        load.must(f"connect {count} window {CONNECT_LIMIT_S}")
        load.must(f"steady {rate} 2 {LIMIT_S}")
        for _ in range(options.rounds):  # what arrives every quarter of an hour: one closed slot a message
            answer = load.must(f"ingest {LIVE_MESSAGES} {LIMIT_S}", relay.processes)
            done = LIVE_MESSAGES * count
            results.setdefault("live_cpu_us", {}).setdefault("ours", []).append(answer["server_cpu_s"] / done * 1e6)
            results.setdefault("live_per_s", {}).setdefault("ours", []).append(done / answer["seconds"])
            say(f"ours: {done / answer['seconds']:.0f} messages/s of one slot, {answer['server_cpu_s'] / done * 1e6:.1f} us of CPU each")
        for _ in range(options.rounds):
            for how in ("none", "flood", "slow", "half"):
                with contextlib.ExitStack() as stack:
                    if how != "none":
                        stack.enter_context(generator.Mad(fleet, count + 1, relay.port, folder / "mad/mad.log", how))
                    answer = load.must(f"steady {rate} {seconds} {LIMIT_S}", relay.processes)
                if answer["drops"]:
                    stage.fail(f"{answer['drops']} well-behaved gateways lost their connection beside '{how}': {answer['failures']}")
                for key in ("p50", "p99", "max"):
                    results.setdefault(f"mad_ack_{key}_ms", {}).setdefault(how, []).append(answer["ack_ms"][key])
                say(f"ours: beside {how}: ack p50 {answer['ack_ms']['p50']:.1f}, p99 {answer['ack_ms']['p99']:.1f} ms")
