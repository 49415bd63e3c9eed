"""The demo's second part: the replay is over, somebody presses the button of the same home, and the press is followed to the guard
centre's list, the panel and the family. By the machine's clock, for the replay's stands still while programs work: there every
hop would take 0 ms."""
import datetime
import re
import time

import guard_centre
import oracle_slots
import product
import stage

ACCOUNT, KEY = "0A12", "00112233445566778899AABBCCDDEEFF"
NODE, EOJ = "button", "000301"  # as home.toml has it
READY_S = 60
DONE_S = 60
SETTLE_S = 1.5                  # a second entry, or a mail too many, would come now
HOPS = [("durable_us", "on the gateway's disk"),
        ("received_us", "stored by the relay, as the gateway hears"),
        ("accepted_us", "acknowledged by the guard centre, as the gateway hears"),
        ("shown_us", "shown on the panel")]


def iso(ms):
    return datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def panel_words(log, since_ms):
    """What the panel has shown since then: (milliseconds, word), by the gateway's log."""
    lines = re.findall(r"^ts=(\S+) \S+ mod=panel evt=shown word=(\w+)", log.read_text(errors="replace"), re.M)
    shown = [(round(datetime.datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp() * 1000), word) for at, word in lines]
    return [(at, word) for at, word in shown if at >= since_ms]


class Button:
    """Relay, gateway and home of a replay that is over, going on by the machine's clock, with a guard centre."""

    def __init__(self, replayed, namespace, folder, mail, contacts, home_arguments, nodes):
        self.namespace, self.folder, self.mail, self.contacts = namespace, folder, mail, contacts
        self.product = product.Product(namespace, folder, None)
        self.product.home = replayed.home
        self.centre = guard_centre.GuardCentre(namespace, folder / "centre", ACCOUNT, KEY)
        self.centre.join(self.product, {"button_period_s": 900})
        self.control = folder / "home.sock"
        self.home_arguments = [*home_arguments, "--control", str(self.control)]
        self.home, self.nodes, self.wrong = None, nodes, []

    # ---- programs

    def start(self):
        self.centre.start()
        self.product.start_relay()
        self.home = stage.Process(self.namespace, [stage.binary("tomoshibi-home"), *self.home_arguments], self.folder / "home.log")
        self.product.start_gateway()
        stage.wait_until(lambda: self.ready() or not self.all_alive(), READY_S,
                         lambda: self.quoted("relay, gateway and guard centre do not reach each other, or the gateway not the button"))
        self.check_alive()

    def ready(self):
        known = self.product.gateway.said().count("mod=echonet evt=node_known")
        return guard_centre.lines_stand(self.product) and self.control.exists() and known >= self.nodes

    def processes(self):
        return [p for p in (*self.product.processes(), self.home) if p]

    def all_alive(self):
        return self.centre.alive() and all(p.alive() for p in self.processes())

    def check_alive(self):
        for process in self.processes():
            if not process.alive():
                stage.fail(f"{process.name} ended: {stage.tail(process.log)}")
        if not self.centre.alive():
            stage.fail(f"tomoshibi-guard ended: {stage.tail(self.centre.log)}")

    def quoted(self, text):
        logs = [p.log for p in self.processes()] + [self.centre.log]
        return "\n".join([text, *(f"-- {log.stem}\n{stage.tail(log)}" for log in logs)])

    def stop(self):
        self.product.stop()
        if self.home:
            self.home.stop()
        self.centre.stop()

    # ---- the press

    def command(self):
        return [stage.binary("tomoshibi-home"), "--control", str(self.control), "--tell", f"press {NODE} {EOJ} hold=3"]

    def press(self):
        """Presses, and waits until everybody has been told; what is not as it has to be is in `wrong`."""
        self.mails_before = {m["file"] for m in self.mail.mails()}
        self.pressed_ms = time.time_ns() // 1_000_000
        stage.run(self.command())
        deadline = time.monotonic() + DONE_S
        while time.monotonic() < deadline and not (self.centre.booked() and self.shown() and len(self.mails()) >= self.wanted()):
            self.check_alive()
            time.sleep(0.05)
        time.sleep(SETTLE_S)
        self.judge()

    def mails(self):
        return [m for m in self.mail.mails() if m["file"] not in self.mails_before]

    def wanted(self):
        return 2 * len(self.contacts)  # that it was pressed, and that the guard centre has it

    def listed(self):
        """What the relay knows of presses since then."""
        presses = self.product.ctl_json("emergency", "list", self.product.home, "--json")
        return [p for p in presses if p["occurred"] and oracle_slots.to_ms(p["occurred"]) >= self.pressed_ms - 1000]

    def shown(self):
        """The press, when the gateway has told all its times."""
        return next((p for p in self.listed() if p["shown_us"] is not None), None)

    def judge(self):
        self.entries, presses, self.press_row = self.centre.booked(), self.listed(), self.shown()
        if len(self.entries) != 1:
            self.wrong.append(f"one press is {len(self.entries)} entries of the guard centre's list: {self.entries}")
        if len(presses) != 1 or self.press_row is None:
            self.wrong.append(f"the relay's list of presses: {presses}")
        if self.entries and self.press_row:
            self.judge_press(self.entries[0], self.press_row)
        self.judge_mails()
        self.words = panel_words(self.folder / "gateway.log", self.pressed_ms)
        if [w for _, w in self.words if w != "idle"] not in (["calling", "received", "accepted"], ["calling", "accepted"]):
            self.wrong.append(f"the panel showed {self.words}")

    def judge_press(self, entry, press):
        if entry["event"] != "personal emergency" or entry["test"] or not entry["encrypted"] or entry["account"] != ACCOUNT:
            self.wrong.append(f"the guard centre's entry: {entry}")
        if entry["reference"].lower() != press["press"].lower() or press["drill"] or press["state"] != "delivered":
            self.wrong.append(f"the relay's press {press}, the guard centre's entry {entry}")
        times = [press[key] for key, _ in HOPS if press[key] is not None]
        if times != sorted(times) or None in (press["durable_us"], press["accepted_us"], press["shown_us"]):
            self.wrong.append(f"times that cannot be: {press}")

    def judge_mails(self):
        """Each contact hears twice, in its language: that the button was pressed, and that the guard centre has it."""
        got = self.mails()
        for contact in self.contacts:
            subjects = sorted(m["subject"] for m in got if m["to"] == contact["mail"])
            japanese = contact["lang"] == "ja"
            begins = "【ともしび】" if japanese else "[Tomoshibi]"
            pressed, has_it = ("押され", "ガードセンター") if japanese else ("button pressed", "guard centre has the ")
            right = len(subjects) == 2 and all(s.startswith(begins) for s in subjects)
            if not right or sum(pressed in s for s in subjects) != 1 or sum(has_it in s for s in subjects) != 1:
                self.wrong.append(f"mails to {contact['mail']}: {subjects}")
        if len(got) != self.wanted() or any(m["defects"] for m in got):
            self.wrong.append(f"{len(got)} mails, {self.wanted()} are due, none defective")

    # ---- what is told

    def tell(self, say):
        """All of it as real programs told it: the times are not the demo's."""
        for press in self.listed():
            self.tell_press(press, say)
        if self.words:
            say("panel       " + ", ".join(f"{word} {max(0, at - self.pressed_ms)} ms" for at, word in self.words)
                + "  by its log, after the button was told")
        for entry in self.entries:
            self.tell_entry(entry, say)
        for m in sorted(self.mails(), key=lambda m: m["kept_ms"]):
            say(f"mail        {m['kept_ms'] - self.pressed_ms:5d} ms  {m['to']}  {m['subject']}")
        for text in self.wrong:
            say(f"NOT as it has to be: {text}")
        if not self.wrong:
            say("            delivered, exactly one entry in the guard centre's list, every contact told twice")

    def tell_press(self, press, say):
        how = {"relay": "delivered by the relay", "direct": "delivered directly"}.get(press["path"], "NOT delivered")
        say(f"press       {press['press']} at {press['occurred']}, {how}; since then, by the gateway's clock:")
        for key, text in HOPS:
            said = f"{press[key] / 1000:5.1f} ms" if press[key] is not None else "not told"
            say(f"            {said}  {text}")

    def tell_entry(self, entry, say):
        """The line of the operator's list, and when it was written, after the press: one machine, one clock."""
        lines = [line for line in self.centre.log.read_text(errors="replace").splitlines() if entry["reference"] in line]
        for line in lines:
            say(f"guard list  {re.sub(' {2,}', '  ', line)}")
        press = next((p for p in self.listed() if p["press"].lower() == entry["reference"].lower()), None)
        if press:
            say(f"            written {entry['at_ms'] - oracle_slots.to_ms(press['occurred'])} ms after the press, "
                f"encrypted: {'yes' if entry['encrypted'] else 'NO'}, sequence {entry['sequence']}")
