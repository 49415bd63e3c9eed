#!/usr/bin/env python3
"""What the slots and the three-day alerts of a recorded home have to be, from the record alone.

Independent of the product: nothing but the record and the rules of docs/ARCHITECTURE.md. A slot is a quarter of an hour,
numbered since 1970-01-01T00:00Z. A channel is given as NAME=HOLD_S (an event makes it used for HOLD_S seconds, the first
moment included and the last one not) or NAME=on_off (value 1 begins the use, 0 ends it).
"""
import argparse
import csv
import datetime
import gzip
import json

SLOT_MS = 900_000
SLOTS_PER_DAY = 96


def to_ms(text, zone_min=0):
    at = datetime.datetime.fromisoformat(text.rstrip("Z")).replace(tzinfo=datetime.timezone.utc)
    return round(at.timestamp() * 1000) - (0 if text.endswith("Z") else zone_min * 60_000)


def to_text(ms):
    return datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_events(path, home=None, zone_min=0):
    """{channel: [(ms, value)...]} in order of time."""
    opened = gzip.open(path, "rt") if path.endswith(".gz") else open(path, encoding="utf-8")
    events = {}
    with opened as rows:
        for row in csv.DictReader(rows):
            if home is None or row.get("home") == home:
                events.setdefault(row["channel"], []).append((to_ms(row["time"], zone_min), int(row["value"])))
    for list_ in events.values():
        list_.sort(key=lambda e: e[0])
    return events


def uses(events, rule):
    """Half-open intervals of use."""
    if rule != "on_off":
        return [(at, at + int(rule) * 1000) for at, value in events if value == 1]
    out, since = [], None
    for at, value in events:
        if value == 1 and since is None:
            since = at
        elif value == 0 and since is not None:
            out.append((since, at))
            since = None
    if since is not None:
        out.append((since, 1 << 60))
    return [u for u in out if u[0] < u[1]]


def on_slots(intervals, end_ms):
    """The numbers of the slots in which the channel was used at any moment before end_ms."""
    out = set()
    for begin, end in intervals:
        end = min(end, end_ms)
        if begin < end:
            out.update(range(begin // SLOT_MS, (end - 1) // SLOT_MS + 1))
    return out


def episodes(on, first, past, days, unknown=frozenset()):
    """Three-day episodes over slots first..past-1: dicts of slot numbers. Slots that nobody saw count for nothing."""
    out, last_use, quiet, open_ = [], None, 0, None
    for slot in range(first, past):
        if slot in unknown:
            continue
        if slot in on:
            if open_ is not None:
                open_["closed_slot"] = slot
                open_ = None
            last_use, quiet = slot, 0
            continue
        quiet += 1
        if quiet == days * SLOTS_PER_DAY:
            open_ = {"since_slot": first if last_use is None else last_use + 1, "last_use_slot": last_use,
                     "opened_slot": slot, "closed_slot": None}
            out.append(open_)
    return out


def oracle(path, channels, start_ms, end_ms, home=None, zone_min=0, days=3, first_slot=None):
    """For each channel its ON slots and episodes within the whole slots of [start_ms, end_ms)."""
    events = read_events(path, home, zone_min)
    first = -(-start_ms // SLOT_MS) if first_slot is None else first_slot
    past = end_ms // SLOT_MS
    out = {}
    for channel, rule in channels.items():
        on = on_slots(uses(events.get(channel, []), rule), past * SLOT_MS)
        on = {s for s in on if first <= s < past}
        out[channel] = {"on": on, "episodes": episodes(on, first, past, days)}
    return {"first_slot": first, "past_slot": past, "channels": out}


def day_row(result, channel, day):
    """The 96 slots of a UTC day: 1 on, 0 off, - outside of the replay."""
    on = result["channels"][channel]["on"]
    slots = range(day * SLOTS_PER_DAY, (day + 1) * SLOTS_PER_DAY)
    inside = range(result["first_slot"], result["past_slot"])
    return "".join(("1" if s in on else "0") if s in inside else "-" for s in slots)


def channel_rules(texts):
    out = {}
    for text in texts:
        name, _, rule = text.rpartition("=")
        if not name or not (rule == "on_off" or rule.isdigit()):
            raise SystemExit(f"channel '{text}': NAME=HOLD_SECONDS or NAME=on_off")
        out[name] = rule
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("record")
    parser.add_argument("channel", nargs="+")
    parser.add_argument("--home")
    parser.add_argument("--zone-min", type=int, default=0)
    parser.add_argument("--start", required=True)
    parser.add_argument("--end", required=True)
    parser.add_argument("--days", type=int, default=3)
    args = parser.parse_args()
    result = oracle(args.record, channel_rules(args.channel), to_ms(args.start), to_ms(args.end), args.home,
                    args.zone_min, args.days)
    days = range(result["first_slot"] // SLOTS_PER_DAY, (result["past_slot"] - 1) // SLOTS_PER_DAY + 1)
    shown = {
        name: {"days": {to_text(d * SLOTS_PER_DAY * SLOT_MS)[:10]: day_row(result, name, d) for d in days},
               "episodes": [{k: v if v is None else to_text(v * SLOT_MS) for k, v in e.items()}
                            for e in result["channels"][name]["episodes"]]}
        for name in result["channels"]}
    print(json.dumps(shown, indent=1))


if __name__ == "__main__":
    main()
