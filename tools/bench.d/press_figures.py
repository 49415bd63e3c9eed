"""What the way of a press took: from the times of each press to the figures of a phase, and from those to the table."""
import math

import measure

PHASES = ("quiet", "uploading")
HOPS = ("durable", "stored", "centre", "shown", "whole")
PART_GOAL_MS = {"quiet": 1, "uploading": 10}


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
