"""Plays a record through the real gateway and relay and compares what was stored with what the record demands."""
import contextlib
import hashlib
import time

import compare_usage
import harness
import oracle_slots
import product

EVENT_CLASSES = {  # channel of TIHM: class code, hold in seconds
    "fridge-door": ("03b7", 30), "kitchen": ("0007", 60), "lounge": ("0007", 60), "bedroom": ("0007", 60),
    "bathroom": ("0007", 60), "hallway": ("0007", 60), "front-door": ("0029", 30), "back-door": ("0029", 30)}
FAMILY = {"name": "花子", "mail": "hanako@example.org", "lang": "ja"}


def write_mapping(path, appliances):
    """The mapping of these appliances on their nodes; node k lives at 127.0.0.(10+k) and has the number k."""
    text = 'interface = "lo"\n'
    for number in sorted({a.node_number for a in appliances}):
        text += f'\n[[node]]\nname = "n{number}"\naddress = "127.0.0.{10 + number}"\nnumber = {number}\n'
    for a in appliances:
        meaning = 'meaning = "on_off"' if a.rule == "on_off" else f"hold_s = {a.rule}"
        text += f'\n[[device]]\nnode = "n{a.node_number}"\neoj = "{a.eoj}"\nchannel = "{a.channel}"\n{meaning}\n'
    path.write_text(text)


def tihm_appliances(channels, days=3):
    """One node for each channel: all are asked at one moment, which makes a replay shorter."""
    out = []
    for number, channel in enumerate(sorted(channels), 1):
        code, hold = EVENT_CLASSES[channel]
        out.append(product.Appliance(channel, channel, f"{code}01", number, str(hold), days))
    return out


class Replay:
    """One conducted replay: the home conducts, relay and gateway take part."""

    def __init__(self, namespace, folder, record, appliances, start, end, home=None, poll_s=300, gap_s=900,
                 zone="+00:00", contacts=(FAMILY,), mail=None, pauses=(), faults=None):
        self.start_text, self.end_text, self.record, self.home_name, self.zone = start, end, record, home, zone
        self.start_ms, self.end_ms = oracle_slots.to_ms(start), oracle_slots.to_ms(end)
        self.appliances = appliances
        pinned = harness.one_cpu()
        write_mapping(folder / "map.toml", appliances)
        # The end is a pause point, so that the daemons can be asked and ended in order; what comes after it is never reached.
        past_end = oracle_slots.to_text(self.end_ms + 3_600_000)
        arguments = ["--record", record, "--map", str(folder / "map.toml"), f"--zone={zone}", "--start", start,
                     "--end", past_end, "--expect", "3"]
        arguments += ["--home", home] if home else []
        arguments += ["--faults", str(faults)] if faults else []
        for at in [*pauses, end]:
            arguments += ["--pause", at]
        self.conductor = harness.ConductedHome(namespace, folder, arguments, pinned)
        self.product = product.Product(namespace, folder, self.conductor.socket, pinned)
        self.product.set_up("Testhome", appliances, contacts, start, poll_s, gap_s, zone, mail)

    def begin(self):
        self.began = time.monotonic()
        self.product.start_relay()
        self.conductor.wait_for("joined:relay", 20, self.product.processes())
        self.product.start_gateway()
        self.conductor.wait_for("joined:gateway", 20, self.product.processes())

    def until_paused(self, timeout_s):
        return self.conductor.wait_for("paused", timeout_s, self.product.processes())

    def finish(self):
        """Ends the daemons in order while time stands still, then the conductor."""
        self.took = time.monotonic() - self.began
        self.product.stop()
        self.conductor.order("stop")
        self.conductor.wait_for("eof", 20)

    def zone_min(self):
        sign = -1 if self.zone[0] == "-" else 1
        return sign * (int(self.zone[1:3]) * 60 + int(self.zone[4:6]))

    def oracle(self, first_slot=None):
        """Without the slot in which the replay began: nobody watched its first moments."""
        first = oracle_slots.to_ms(self.start_text) // oracle_slots.SLOT_MS + 1 if first_slot is None else first_slot
        return oracle_slots.oracle(self.record, {a.channel: a.rule for a in self.appliances}, self.start_ms, self.end_ms,
                                   self.home_name, self.zone_min(), first_slot=first)

    def compare(self, may_be_unknown=lambda slot: False):
        out = compare_usage.Comparison()
        compare_usage.compare_slots(self.oracle(), {a.label: a.channel for a in self.appliances}, self.read_day,
                                    may_be_unknown, out, self.zone_min())
        return out

    def read_day(self, date):
        return self.product.ctl_json("usage", self.product.home, date, "--json")

    def stored_hash(self):
        """Over everything that is stored of every slot, seconds and counts of readings included."""
        digest = hashlib.sha256()
        for date in compare_usage.local_dates(self.oracle(), self.zone_min()):
            digest.update(self.product.ctl("usage", self.product.home, date, "--json").encode())
        return digest.hexdigest()

    def compare_alerts(self, out):
        """Each stored alert against the record's silent stretches; `out` takes the differences."""
        rules = {a.label: (a.channel, a.days) for a in self.appliances if a.days}
        stored = self.product.ctl_json("alerts", self.product.home, "--all", "--json")
        compare_usage.compare_alerts(compare_usage.expected_alerts(self.oracle(), rules, out.unknown), stored, out)
        return stored


@contextlib.contextmanager
def stage(label):
    """A namespace and a folder."""
    harness.need_root()
    with harness.Namespace(label) as namespace, harness.work_folder(label) as folder:
        yield namespace, folder
