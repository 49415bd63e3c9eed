#!/usr/bin/env python3
"""Compares what the relay stored with what the record demands (oracle_slots.py), slot by slot and alert by alert.

As a program: compare_usage.py CTL_COMMAND... -- HOME RECORD START END LABEL=CHANNEL=RULE[=DAYS]...
where CTL_COMMAND is "tomoshibi-ctl --dir DIR". Prints one line for each difference; exit code 1 if there is any.
"""
import json
import subprocess
import sys

import oracle_slots
from oracle_slots import SLOT_MS, to_ms, to_text

DIFFERENCES_SHOWN = 40
DAY_MS = 86_400_000
ALERT_DELAY_MS = 60_000  # virtual time from the end of the slot to the alert


class Comparison:
    def __init__(self):
        self.compared = 0
        self.states = {"on": 0, "off": 0, "unknown": 0}
        self.unknown = {}  # label: the slots that were stored as unknown
        self.missing = 0
        self.seconds = 0
        self.energy_wh = 0
        self.alerts = 0
        self.differences = []

    def differ(self, text):
        self.differences.append(text)

    def ok(self):
        return not self.differences and self.compared > 0

    def report(self):
        shown = self.differences[:DIFFERENCES_SHOWN]
        more = len(self.differences) - len(shown)
        return "\n".join(shown + ([f"... and {more} more"] if more else []))


def local_dates(result, zone_min):
    first = (result["first_slot"] * SLOT_MS + zone_min * 60_000) // DAY_MS
    last = ((result["past_slot"] - 1) * SLOT_MS + zone_min * 60_000) // DAY_MS
    return [to_text(day * DAY_MS)[:10] for day in range(first, last + 1)]


def compare_slots(result, labels, read_day, may_be_unknown, out, zone_min=0):
    """labels: {label: channel}; read_day(date) gives the objects of `usage --json`; may_be_unknown(slot) -> bool."""
    for date in local_dates(result, zone_min):
        rows = {row["label"]: row for row in read_day(date)}
        for label, channel in labels.items():
            if label not in rows:
                out.differ(f"{date} {label}: no row")
                continue
            compare_day(result["channels"][channel]["on"], rows[label], result, may_be_unknown, out)


def compare_day(on, row, result, may_be_unknown, out):
    for i, got in enumerate(row["states"]):
        slot = row["first_slot"] + i
        if not result["first_slot"] <= slot < result["past_slot"]:
            continue
        out.compared += 1
        out.states[got] += 1
        out.missing += not row["received"][i]
        out.seconds += row["seconds"][i] or 0
        out.energy_wh += row["wh"][i] or 0
        if got == "unknown":
            out.unknown.setdefault(row["label"], set()).add(slot)
        want = "on" if slot in on else "off"
        if got != want and not (got == "unknown" and may_be_unknown(slot)):
            out.differ(f"{to_text(slot * SLOT_MS)} {row['label']}: stored {got}, the record says {want}")


def expected_alerts(result, rules, unknown=None):
    """rules: {label: (channel, days)}; unknown: {label: slots that were rightly stored so}. In order of opening."""
    out = []
    for label, (channel, days) in rules.items():
        on = result["channels"][channel]["on"]
        for e in oracle_slots.episodes(on, result["first_slot"], result["past_slot"], days,
                                       (unknown or {}).get(label, frozenset())):
            out.append({"label": label, **e})
    return sorted(out, key=lambda e: (e["opened_slot"], e["label"]))


def compare_alerts(expected, stored, out):
    """Stored: the objects of `alerts --all --json`. Slots have to be equal; the alert is told soon after its slot is over."""
    unused = sorted((s for s in stored if s["kind"] == "unused"), key=lambda s: (s["opened"], s["label"]))
    for other in (s for s in stored if s["kind"] != "unused"):
        out.differ(f"an alert that the record does not demand: {other}")
    left = list(unused)
    for want in expected:
        due = (want["opened_slot"] + 1) * SLOT_MS
        found = [s for s in left if s["label"] == want["label"] and s["closed_by_slot"] == want["closed_slot"]
                 and s["last_use_slot"] == want["last_use_slot"] and 0 <= to_ms(s["opened"]) - due <= ALERT_DELAY_MS]
        out.alerts += 1
        if len(found) == 1:
            left.remove(found[0])
        else:
            out.differ(f"alert missing: {want['label']} due {to_text(due)}, last use {want['last_use_slot']}, "
                       f"closed by {want['closed_slot']}")
    for extra in left:
        out.differ(f"alert too many: {extra}")


def main():
    if "--" not in sys.argv:
        sys.exit(__doc__)
    at = sys.argv.index("--")
    ctl, (home, record, start, end, *appliances) = sys.argv[1:at], sys.argv[at + 1:]
    fields = [a.split("=") for a in appliances]
    result = oracle_slots.oracle(record, {f[1]: f[2] for f in fields}, to_ms(start), to_ms(end))
    out = Comparison()

    def read_day(date):
        text = subprocess.run([*ctl, "usage", home, date, "--json"], check=True, capture_output=True, text=True).stdout
        return [json.loads(line) for line in text.splitlines()]

    compare_slots(result, {f[0]: f[1] for f in fields}, read_day, lambda slot: False, out)
    print(out.report() or f"{out.compared} slots as the record demands: {out.states}")
    sys.exit(0 if out.ok() else 1)


if __name__ == "__main__":
    main()
