"""The soak itself; tools/soak builds and calls it."""
import argparse
import collections
import contextlib
import csv
import datetime
import pathlib
import random
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools/lib"), str(ROOT / "tests/tools"), str(ROOT / "tools/soak.d")]
import compare_usage  # noqa: E402
import flat  # noqa: E402
import oracle_slots  # noqa: E402
import product  # noqa: E402
import stage  # noqa: E402

RECORD = ROOT / "tools/demo.d/record/tihm-393cb.csv"
MAPPING = ROOT / "tools/demo.d/record/home.toml"
RECORD_DAYS = 25
REPEATS = 120               # 3,000 days; the speed limit keeps the soak inside
START = datetime.datetime(2019, 5, 19, 23, 45)
CHANNELS = {"fridge-door": ("03b701", "30"), "kitchen": ("000701", "60"), "lounge": ("000701", "60"),
            "bedroom": ("000701", "60"), "bathroom": ("000701", "60"), "front-door": ("002901", "30"),
            "back-door": ("002901", "30")}
FAMILY = [{"name": "花子", "mail": "hanako@example.org", "lang": "ja"}]
KILLS_UNTIL = 1 / 3         # of the time
SAMPLE_EVERY_S = 5
SLOT_MS = oracle_slots.SLOT_MS
# What a life may grow after its warm-up, by the line through the samples. The relay's SQLite caches hold up to 32 MB each and
# grow with the store; a leak of 100 bytes a record would show as tens of megabytes an hour.
GROWTH_MAX = {("relay", "rss_kib"): 4096, ("gateway", "rss_kib"): 1024, ("relay", "fds"): 4, ("gateway", "fds"): 1,
              ("relay", "threads"): 0.5, ("gateway", "threads"): 0.5}
ATTACKS = ["tls-garbage", "pages-garbage", "udp-garbage", "half-handshakes", "idle-pages", "silent-connections"]
VALGRIND = ["valgrind", "--leak-check=full", "--errors-for-leak-kinds=definite", "--error-exitcode=99",
            "--num-callers=20", "--child-silent-after-fork=yes"]
DEVICE_FAULTS_MAX = 900    # tomoshibi-home takes 1,000
DEVICE_FAULTS = [("silent", ""), ("power-cut", ""), ("garbage", "100"), ("duplicate", "500"), ("wrong-tid", "100"),
                 ("late", "500"), ("lost", "200"), ("cut-short", "100")]


def long_record(path, days):
    """The record again and again, each time 25 days later."""
    with open(RECORD, newline="", encoding="utf-8") as file:
        rows = [(datetime.datetime.fromisoformat(r["time"]), r["channel"], r["value"]) for r in csv.DictReader(file)]
    with open(path, "w", encoding="utf-8") as out:
        out.write("time,channel,value\n")
        for n in range(days // RECORD_DAYS + 1):
            for at, channel, value in rows:
                out.write(f"{(at + datetime.timedelta(days=RECORD_DAYS * n)).isoformat()},{channel},{value}\n")


def device_faults(path, rand, days):
    """One device in trouble for up to three hours, again and again. Answers the windows (ms) in which slots may be anything."""
    windows = []
    with open(path, "w", encoding="utf-8") as out:
        out.write("at,until,node,fault,param\n")
        for n in range(DEVICE_FAULTS_MAX):
            at = START + datetime.timedelta(days=1 + n * (days - 2) // DEVICE_FAULTS_MAX, minutes=rand.randrange(1200))
            until = at + datetime.timedelta(minutes=rand.randrange(1, 180))
            fault, param = rand.choice(DEVICE_FAULTS)
            out.write(f"{at.isoformat()},{until.isoformat()},{rand.choice(list(CHANNELS))},{fault},{param}\n")
            windows.append((at, until + datetime.timedelta(minutes=30)))
    return [tuple(round(t.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000) for t in w) for w in windows]


class Soak:
    def __init__(self, options, namespace, folder, mail):
        self.options, self.namespace, self.folder = options, namespace, folder
        self.random = random.Random(options.seed)
        self.seconds = options.minutes * 60
        days = RECORD_DAYS * REPEATS
        speed = min(1_000_000, int(days * 86_400 / self.seconds * 0.95))
        long_record(folder / "record.csv", days)
        self.windows = [] if options.calm else device_faults(folder / "faults.csv", self.random, days)
        arguments = ["--record", str(folder / "record.csv"), "--map", str(MAPPING), "--start", START.isoformat() + "Z",
                     "--expect", "3", "--speed", str(speed), "--seed", str(options.seed)]
        arguments += [] if options.calm else ["--faults", str(folder / "faults.csv")]
        pinned = stage.one_cpu()
        wrap = VALGRIND if options.valgrind else ()
        self.conductor = stage.ConductedHome(namespace, folder, arguments, pinned)
        self.product = product.Product(namespace, folder, self.conductor.socket, pinned, wrap)
        appliances = [product.Appliance(name, name, eoj, n, hold, 3) for n, (name, (eoj, hold)) in enumerate(CHANNELS.items(), 1)]
        self.product.set_up("Soak", appliances, FAMILY, START.isoformat() + "Z", mail=mail.settings)
        self.lives = collections.defaultdict(list)   # name -> lives -> [(s, sample)]
        self.done = collections.Counter()
        self.attackers = []
        self.store = []

    # ---- the daemons

    def start(self, name):
        {"relay": self.product.start_relay, "gateway": self.product.start_gateway}[name]()
        self.lives[name].append([])
        self.conductor.wait_for(f"joined:{name}", 120, self.product.processes())

    def process(self, name):
        return self.product.relay if name == "relay" else self.product.gateway

    def run(self):
        self.began = time.monotonic()
        self.start("relay")
        self.start("gateway")
        next_sample = next_fault = next_row = 0.0
        while (now := time.monotonic() - self.began) < self.seconds:
            for p in self.product.processes():
                if not p.alive():
                    stage.fail(f"{p.name} ended with {p.popen.returncode}: {stage.tail(p.log, 40)}")
            if now >= next_sample:
                self.sample(now)
                next_sample = now + SAMPLE_EVERY_S
            if now >= next_row:
                self.row(now)
                next_row = now + max(self.seconds / 20, 10)
            if not self.options.calm and now >= next_fault and now < self.seconds - 20:
                self.disturb(now)
                next_fault = now + self.random.uniform(2, 12)
            time.sleep(0.2)

    # ---- what is measured

    def sample(self, now):
        for name in ("relay", "gateway"):
            if got := flat.sample(self.process(name).popen.pid):
                self.lives[name][-1].append((now, got))
        size = sum(f.stat().st_size for f in self.product.relay_folder.rglob("*") if f.is_file())
        self.store.append((now, size // 1024))

    def row(self, now):
        cells = [f"{int(now // 60):3d}:{int(now % 60):02d}"]
        for name in ("relay", "gateway"):
            got = self.lives[name][-1][-1][1] if self.lives[name][-1] else {}
            cells.append(f"{name} {got.get('rss_kib', 0):7d} KiB {got.get('fds', 0):4d} fd {got.get('threads', 0):2d} thr")
        virtual = datetime.datetime.fromtimestamp(self.conductor.virtual_now_ms() / 1000, datetime.timezone.utc)
        cells.append(f"store {self.store[-1][1]:6d} KiB  {virtual:%Y-%m-%d}")
        print("  ".join(cells), flush=True)

    # ---- what is disturbed

    def disturb(self, now):
        kinds = ["attack", "attack", "attack", "line", "reload", "tools"]
        if now < self.seconds * KILLS_UNTIL:
            kinds += ["kill-relay", "kill-gateway"]
        kind = self.random.choice(kinds)
        began = self.conductor.virtual_now_ms()
        self.attackers = [a for a in self.attackers if a.poll() is None]
        if kind == "attack" and len(self.attackers) < 3:
            kind = self.random.choice(ATTACKS)
            command = [sys.executable, "-B", str(ROOT / "tools/soak.d/attack.py"), kind,
                       f"{self.random.uniform(0.5, 8):.1f}", str(self.random.randrange(1 << 30))]
            self.attackers.append(subprocess.Popen(self.namespace.exec(command), preexec_fn=stage.die_with_parent,
                                                   stdin=subprocess.DEVNULL))
        elif kind == "line":
            self.cut_line(self.random.uniform(0.05, 1.5))
        elif kind == "reload":
            self.product.relay.popen.send_signal(1)
        elif kind == "tools":
            with contextlib.suppress(stage.Failure):  # the relay may be saving, or away
                self.product.ctl("status")
        elif kind.startswith("kill-"):
            self.kill(kind[5:])
        self.done[kind] += 1
        if kind in ("line", "kill-relay", "kill-gateway", "udp-garbage"):
            self.windows.append((began - SLOT_MS, self.conductor.virtual_now_ms() + 2 * SLOT_MS))

    def cut_line(self, seconds):
        """The loopback goes down: no gateway, no devices, no mail. Time goes on meanwhile."""
        self.namespace.ip("link", "set", "lo", "down")
        time.sleep(seconds)
        self.namespace.ip("link", "set", "lo", "up")
        self.namespace.ip("route", "replace", "224.0.0.0/4", "dev", "lo")

    def kill(self, name):
        self.process(name).kill9()
        self.conductor.wait_for(f"left:{name}", 60)
        self.start(name)

    # ---- the end

    def finish(self):
        for a in self.attackers:
            a.wait()
        # Sessions that strangers left open end by their time-outs; some of these are real time.
        time.sleep(12 if not self.options.calm else 1)
        self.sample(time.monotonic() - self.began)
        now_ms = self.conductor.virtual_now_ms()
        self.conductor.order(f"pause {oracle_slots.to_text(now_ms + 2 * SLOT_MS)}")
        self.conductor.wait_for("paused", 300, self.product.processes())
        self.end_ms = self.conductor.virtual_now_ms()
        problems = self.judge_flat() + self.judge_slots() + self.judge_health()
        problems += self.stop()
        if self.options.svg:
            self.draw()
        return problems

    def stop(self):
        out = []
        for p in (self.product.gateway, self.product.relay):
            code = p.stop(180)
            if code != 0:
                out.append(f"{p.name} ended with {code}: {stage.tail(p.log, 60)}")
            if self.options.valgrind:
                out += self.judge_memcheck(p)
        self.conductor.order("stop")
        return out

    @staticmethod
    def judge_memcheck(process):
        """Only a life that ended in order is searched for what it lost, so its summary has to be there."""
        told = re.findall(r"^==\d+==\s+((?:in use at exit|definitely lost|All heap blocks|ERROR SUMMARY):? .*)$",
                          process.log.read_text(errors="replace"), re.MULTILINE)
        print(f"{process.name}, memcheck: " + ("; ".join(" ".join(line.split()) for line in told) or "nothing told"))
        if not told or not told[-1].startswith("ERROR SUMMARY: 0 errors"):
            return [f"{process.name}: memcheck did not tell of an end without errors"]
        return []

    def judge_flat(self):
        out = []
        print("\nafter warm-up    first   last    growth by regression (allowed)")
        for (name, what), allowed in GROWTH_MAX.items():
            points = [(t, s[what]) for t, s in self.lives[name][-1]]
            part = flat.measured_part(points)
            grown = flat.growth(points)
            print(f"{name:8s}{what:8s}{part[0][1]:7d}{part[-1][1]:7d}   {grown:9.1f} ({allowed})")
            strange = self.options.valgrind or self.options.preset == "asan"  # their memory is the checker's own
            if grown > allowed and not (strange and what == "rss_kib"):
                out.append(f"{name}: {what} grew by {grown:.1f} after the warm-up, allowed are {allowed}")
            if what == "fds" and len(points) > 2 and points[-1][1] > points[1][1] + 3:
                out.append(f"{name}: {points[-1][1]} descriptors at the end, {points[1][1]} at the beginning")
        return out

    def judge_slots(self):
        """What is stored against the record, where nothing was disturbed."""
        start_ms = round(START.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000)
        disturbed = set()
        for begin, end in self.windows:
            disturbed.update(range(begin // SLOT_MS, end // SLOT_MS + 1))
        end_ms = (self.end_ms // SLOT_MS - 1) * SLOT_MS
        result = oracle_slots.oracle(str(self.folder / "record.csv"), {c: hold for c, (_, hold) in CHANNELS.items()}, start_ms,
                                     end_ms, first_slot=start_ms // SLOT_MS + 1)
        out = compare_usage.Comparison()
        for channel in result["channels"].values():
            channel["on"] = {s for s in channel["on"]}
        compare_usage.compare_slots(result, {c: c for c in CHANNELS},
                                    lambda date: self.without(
                                        disturbed, result, self.product.ctl_json("usage", self.product.home, date, "--json")),
                                    lambda slot: slot in disturbed, out)
        looked = out.compared - sum(1 for s in disturbed if result["first_slot"] <= s < result["past_slot"]) * len(CHANNELS)
        print(f"slots: {out.compared} compared, {looked} of them undisturbed, {out.states}, {out.missing} missing")
        if looked <= 0:
            return ["nothing was left undisturbed"]
        return [] if out.ok() and not out.missing else [out.report() or f"{out.missing} slots missing"]

    @staticmethod
    def without(disturbed, result, rows):
        """Disturbed slots read as what the record says: they are not judged."""
        for row in rows:
            on = result["channels"].get(row["label"], {"on": ()})["on"]
            row["states"] = [("on" if row["first_slot"] + i in on else "off") if row["first_slot"] + i in disturbed else s
                             for i, s in enumerate(row["states"])]
        return rows

    def judge_health(self):
        page = stage.run(self.namespace.exec(["curl", "-s", "http://127.0.0.1:9464/metrics"]))
        out = [f"relay: {m}" for m in re.findall(r"^tomoshibi_relay_checks_failed_total [1-9]\d*$", page, re.MULTILINE)]
        for log in ("relay.log", "gateway.log"):
            text = (self.folder / log).read_text(errors="replace")
            bad = re.findall(r"^.*(?:require_failed|check_failed|Sanitizer|runtime error:|Invalid (?:read|write)).*$", text, re.MULTILINE)
            out += [f"{log}: {line}" for line in bad[:5]]
        return out

    def draw(self):
        series = {f"{name} {what} (last life)": [(t, s[what]) for t, s in self.lives[name][-1]]
                  for name in ("relay", "gateway") for what in ("rss_kib", "fds", "threads")}
        series["store KiB"] = self.store
        flat.svg(series, self.options.svg, f"soak, {self.options.minutes:g} min, {self.options.preset}")


def arguments():
    parser = argparse.ArgumentParser(prog="soak", usage="tools/soak --help tells all options", allow_abbrev=False)
    parser.add_argument("--only-check", action="store_true", help="look at the options, do nothing")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--preset", default="dev")
    parser.add_argument("--valgrind", action="store_true")
    parser.add_argument("--calm", action="store_true")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--svg", type=pathlib.Path)
    options = parser.parse_args()
    if not 0.5 <= options.minutes <= 10_000:
        parser.error("--minutes: 0.5 to 10000")
    if options.folder and options.folder.exists() and (not options.folder.is_dir() or any(options.folder.iterdir())):
        parser.error("--folder: a new or empty folder")
    return options


@contextlib.contextmanager
def chosen_folder(options):
    if options.folder is None:
        with stage.work_folder("soak") as folder:
            yield folder
    else:
        options.folder.mkdir(parents=True, exist_ok=True)
        yield options.folder.resolve()


def main():
    options = arguments()
    if options.only_check:
        return
    print(f"soak: {options.minutes:g} min, preset {options.preset}, seed {options.seed}", flush=True)
    with stage.Namespace("soak") as namespace, chosen_folder(options) as folder, \
            product.MailServer(ROOT, namespace, folder / "mail") as mail:
        soak = Soak(options, namespace, folder, mail)
        soak.run()
        problems = soak.finish()
        print("disturbed:", dict(soak.done) or "nothing")
        if problems:
            stage.fail("the soak FAILED:\n" + "\n".join(problems))
    print("the soak passed")


if __name__ == "__main__":
    try:
        main()
    except stage.Failure as failure:
        sys.exit(f"soak: {failure}")
    except KeyboardInterrupt:
        sys.exit("soak: interrupted")
