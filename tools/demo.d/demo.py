"""The demo itself; tools/demo installs, builds and calls it."""
import argparse
import collections
import datetime
import os
import pathlib
import signal
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools/lib"), str(ROOT / "tests/tools")]
import button  # noqa: E402
import compare_usage  # noqa: E402
import oracle_slots  # noqa: E402
import product  # noqa: E402
import stage  # noqa: E402

RECORD = ROOT / "tools/demo.d/record/tihm-393cb.csv"
MAPPING = ROOT / "tools/demo.d/record/home.toml"
START, LAST_DAY = "2019-05-19T23:45:00Z", "2019-06-14"
REPLAY_LIMIT_S = 3600
DAYS = 3
# What home.toml makes of each channel: label, EOJ, number of its node, hold in seconds.
APPLIANCES = [product.Appliance("fridge-door", "冷蔵庫", "03b701", 1, "30", DAYS),
              product.Appliance("kitchen", "台所", "000701", 2, "60", DAYS),
              product.Appliance("lounge", "居間", "000701", 3, "60", DAYS),
              product.Appliance("bedroom", "寝室", "000701", 4, "60", DAYS),
              product.Appliance("bathroom", "浴室", "000701", 5, "60", DAYS),
              product.Appliance("front-door", "玄関", "002901", 6, "30", DAYS),
              product.Appliance("back-door", "勝手口", "002901", 7, "30", DAYS)]
CONTACTS = [{"name": "花子", "mail": "hanako@example.org", "lang": "ja"},
            {"name": "Robert", "mail": "robert@example.org", "lang": "en"},
            {"name": "Help desk", "mail": "help@provider.example", "lang": "en", "provider": True}]


def say(text=""):
    if sys.stderr.isatty():  # the progress line stands there
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    print(text, flush=True)


class Demo:
    def __init__(self, options, namespace, folder, mail):
        self.options, self.namespace, self.folder, self.mail, self.button = options, namespace, folder, mail, None
        self.end = options.until + "T00:00:00Z"
        arguments = ["--record", str(RECORD), "--map", str(MAPPING), "--start", START, "--pause", self.end, "--expect", "3",
                     "--speed", str(options.speed)]
        pinned = stage.one_cpu()
        self.conductor = stage.ConductedHome(namespace, folder, arguments, pinned, show_progress=True)
        self.product = product.Product(namespace, folder, self.conductor.socket, pinned)

    def set_up(self):
        self.product.set_up("松江の家", APPLIANCES, CONTACTS, START, mail=self.mail.settings)
        say(f"home {self.product.home} registered: {len(APPLIANCES)} appliances, told after {DAYS} days, "
            f"{len(CONTACTS)} contacts; gateway box-1 enrolled")

    def play(self):
        began = time.monotonic()
        self.product.start_relay()
        self.conductor.wait_for("joined:relay", 30, self.product.processes())
        self.product.start_gateway()
        self.conductor.wait_for("joined:gateway", 30, self.product.processes())
        self.conductor.wait_for("paused", REPLAY_LIMIT_S, self.product.processes())
        self.took_s = time.monotonic() - began

    def judge(self):
        """What is stored against what the record demands. The slot in which the demo began was not watched whole."""
        start_ms, end_ms = oracle_slots.to_ms(START), oracle_slots.to_ms(self.end)
        self.result = oracle_slots.oracle(str(RECORD), {a.channel: a.rule for a in APPLIANCES}, start_ms, end_ms,
                                          first_slot=start_ms // oracle_slots.SLOT_MS + 1)
        self.compared = compare_usage.Comparison()
        compare_usage.compare_slots(self.result, {a.label: a.channel for a in APPLIANCES}, self.read_day,
                                    lambda slot: False, self.compared)
        rules = {a.label: (a.channel, a.days) for a in APPLIANCES}
        self.expected = compare_usage.expected_alerts(self.result, rules)
        self.alerts = self.product.ctl_json("alerts", self.product.home, "--all", "--json")
        compare_usage.compare_alerts(self.expected, self.alerts, self.compared)
        self.mails = self.mail.mails()
        self.judge_mails()

    def read_day(self, date):
        return self.product.ctl_json("usage", self.product.home, date, "--json")

    def judge_mails(self):
        """One mail for each edge of each alert to each of the family, in their language, and no other."""
        wanted = collections.Counter()
        for alert in self.expected:
            for contact in CONTACTS:
                if not contact.get("provider"):
                    wanted[contact["mail"]] += 1 + (alert["closed_slot"] is not None)
        got = collections.Counter(m["to"] for m in self.mails)
        if got != wanted:
            self.compared.differ(f"mails by recipient: {dict(got)}, the record demands {dict(wanted)}")
        if len({m["message_id"] for m in self.mails}) != len(self.mails):
            self.compared.differ("a mail came twice")
        languages = {c["mail"]: c["lang"] for c in CONTACTS}
        for m in self.mails:
            japanese = m["subject"].startswith("【ともしび】")
            english = m["subject"].startswith("[Tomoshibi]")
            right = japanese if languages.get(m["to"]) == "ja" else english
            if m["defects"] or not right or "松江の家" not in m["subject"]:
                self.compared.differ(f"mail to {m['to']}: wrong language, form or home: {m['subject']}")

    def summary(self):
        c, slots = self.compared, self.result["past_slot"] - self.result["first_slot"]
        say()
        say(f"replayed    {START} to {self.end} in {self.took_s:.0f} s of real time")
        say(f"slots       {slots} closed for each of {len(APPLIANCES)} appliances: {c.compared - c.missing} stored, "
            f"{c.missing} missing, {c.states['unknown']} unknown (判定不能), {c.states['on']} ON, {c.states['off']} OFF")
        for alert in self.alerts:
            last = alert["last_use_slot"]
            say(f"alert       {alert['kind']} {alert['label']}: last used "
                f"{oracle_slots.to_text(last * oracle_slots.SLOT_MS) if last is not None else 'never'}, told {alert['opened']}, "
                f"ended {alert['closed'] or 'not yet'}")
        for m in self.mails:
            say(f"mail        {m['date']}  {m['to']}  {m['subject']}")
        if not self.alerts:
            say("alert       none")
        if self.compared.ok():
            say("            every figure is what the record demands (tests/tools/oracle_slots.py)")
        else:
            say("NOT what the record demands:\n" + self.compared.report())

    def look_day(self):
        return min("2019-05-29", oracle_slots.to_text(oracle_slots.to_ms(self.end) - 1)[:10])

    def press(self):
        """The replay is over. The same home goes on by the machine's clock, and somebody presses its button."""
        self.close()
        say("\nthe button  relay, gateway and home begin again where the replay ended, by the machine's clock: the replay's stands")
        say("            still while programs work, and would call every step 0 ms. Now somebody presses the button.")
        home = ["--record", str(RECORD), "--map", str(MAPPING), "--start", self.end]
        self.button = button.Button(self.product, self.namespace, self.folder, self.mail, CONTACTS, home, len(APPLIANCES) + 1)
        self.button.start()
        self.button.press()
        self.button.tell(say)

    def where_to_look(self, running):
        ctl = f"{stage.binary('tomoshibi-ctl')} --dir {self.product.relay_folder}"
        say()
        say(f"mails       {self.mail.folder}/mail/new   (tools/mail-server list {self.mail.folder})")
        say(f"logs        {self.folder}/relay.log  {self.folder}/gateway.log  {self.button.centre.log}")
        say(f"look        {ctl} usage {self.product.home} {self.look_day()}")
        say(f"            {ctl} alerts --all")
        say(f"            {ctl} emergency report")
        if running:
            say(f"health page ip netns exec {self.namespace.name} curl -s http://127.0.0.1:{product.PAGES_PORT}/healthz")
            *program, words = self.button.command()
            say(f'press       {" ".join(program)} "{words}"')
            say("            (within a minute it is the same press again)")

    def live(self):
        say("\nthe home goes on in real time; Ctrl-C ends it")
        told = len(self.button.centre.booked())
        while True:
            time.sleep(0.2)
            self.button.check_alive()
            for entry in self.button.centre.booked()[told:]:
                self.button.tell_entry(entry, say)
                told += 1

    def close(self):
        if self.button:
            self.button.stop()
        self.product.stop()
        self.conductor.stop()

    def ok(self):
        return self.compared.ok() and not self.button.wrong


def arguments():
    parser = argparse.ArgumentParser(prog="demo", usage="tools/demo --help tells all options", allow_abbrev=False)
    parser.add_argument("--only-check", action="store_true", help="look at the options, do nothing")
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--speed", type=int, default=0)
    parser.add_argument("--until", default=LAST_DAY)
    options = parser.parse_args()
    if not is_day(options.until) or not "2019-05-21" <= options.until <= LAST_DAY:
        parser.error(f"--until: a day from 2019-05-21 to {LAST_DAY}")
    if options.speed < 0:
        parser.error("--speed: a whole number, 0 for as fast as it goes")
    return options


def is_day(text):
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def interrupted(*_):
    raise KeyboardInterrupt


def make_folder(wanted):
    if wanted is None:
        return pathlib.Path(tempfile.mkdtemp(prefix="tomoshibi-demo-"))
    wanted = wanted.resolve()
    check_folder(wanted)
    try:
        wanted.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sys.exit(f"demo: --folder: cannot make {wanted}: {error.strerror}")
    return wanted


def check_folder(wanted):
    if wanted.exists() and not wanted.is_dir():
        sys.exit(f"demo: --folder: {wanted} is not a folder")
    if wanted.exists() and any(wanted.iterdir()):
        sys.exit(f"demo: --folder: {wanted} is not empty; name a new one")


def run(options, folder):
    with stage.Namespace("demo") as namespace, product.MailServer(ROOT, namespace, folder / "mail") as mail:
        say(f"everything is kept in {folder}; network namespace {namespace.name}")
        demo = Demo(options, namespace, folder, mail)
        try:
            demo.set_up()
            demo.play()
            demo.judge()
            demo.summary()
            demo.press()
            demo.where_to_look(running=not options.once)
            if not options.once:
                demo.live()
        except KeyboardInterrupt:
            say("\nending")
            if not options.once and demo.button:
                return 0
            return 130
        finally:
            demo.close()
        return 0 if demo.ok() else 1


def main():
    options = arguments()
    if options.only_check:
        if options.folder is not None:
            check_folder(options.folder.resolve())
        return
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    folder = make_folder(options.folder)
    try:
        sys.exit(run(options, folder))
    except stage.Failure as failure:
        sys.exit(f"demo: {failure}\nlogs are in {folder}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
