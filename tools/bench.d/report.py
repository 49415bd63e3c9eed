"""From results to the table: ours, rival, floor, ratio (to the rival; of presses, which have none, to the floor), goal, verdict.
Medians over the rounds."""
from measure import median

OURS, RIVALS = "ours", ("mosquitto 1.3", "mosquitto 1.2")


def cell(value, digits):
    return "" if value is None else f"{value:,.{digits}f}"


class Table:
    def __init__(self, results):
        self.results, self.rows = results, []

    def of(self, key, name):
        values = self.results.get(key, {}).get(name)
        return median(values) if values else None

    def add(self, what, ours, rival=None, floor=None, goal="", met=None, ratio=None, digits=1):
        if ours is None:
            return
        self.rows.append({"what": what, "ours": ours, "rival": rival, "floor": floor, "ratio": ratio, "goal": goal,
                          "verdict": "" if met is None else "met" if met else "MISSED", "digits": digits})

    def against(self, what, key, rival, goal, at_most=None, at_least=None, digits=1):
        """A row with a goal that is a ratio to the rival."""
        ours, theirs, floor = self.of(key, OURS), self.of(key, rival), self.of(key, "floor")
        ratio = ours / theirs if ours is not None and theirs else None
        met = None if ratio is None else ratio <= at_most if at_most is not None else ratio >= at_least if at_least else None
        self.add(what, ours, theirs, floor, goal, met, ratio, digits)

    def text(self):
        head = ["what", "ours", "rival", "floor", "ratio", "goal", "verdict"]
        lines = [[r["what"], cell(r["ours"], r["digits"]), cell(r["rival"], r["digits"]), cell(r["floor"], r["digits"]),
                  cell(r["ratio"], 2), r["goal"], r["verdict"]] for r in self.rows]
        widths = [max(len(line[i]) for line in [head, *lines]) for i in range(len(head))]
        rule = ["-" * w for w in widths]
        return "\n".join("| " + " | ".join(line[i].ljust(widths[i]) for i in range(len(head))) + " |"
                         for line in [head, rule, *lines])


def build(results, steps):
    t = Table(results)
    best = max(RIVALS, key=lambda r: t.of("ingest_per_s", r) or 0)
    t.against("durable ingest, messages/s", "ingest_per_s", best, ">= 3 x", at_least=3, digits=0)
    t.against("CPU of a message, us", "ingest_cpu_us", best, "<= 0.25 x", at_most=0.25)
    t.against("ack p99 in saturated ingest, ms", "ingest_ack_p99_ms", best, "", digits=0)
    for count in steps:
        for rival in RIVALS:
            goal = {"goal": "<= 0.5 x", "at_most": 0.5} if count == steps[-1] and rival == "mosquitto 1.3" else {"goal": ""}
            t.against(f"RSS of an idle connection, {count:,} of them, KB (TLS {rival[-3:]})", f"rss_kb_per_connection_{count}",
                      rival, **goal)
    for key, what in (("redial", "a line cut"), ("restart", "a restart")):
        time_key = "redial_s" if key == "redial" else "restart_back_s"
        for rival in RIVALS:
            goal = {"goal": "<= 0.6 x", "at_most": 0.6} if rival == "mosquitto 1.2" else {"goal": ""}
            t.against(f"all back after {what}, s (TLS {rival[-3:]})", time_key, rival, **goal)
        t.against(f"server CPU of each of them, ms (TLS 1.2)", f"{key}_ms_cpu", "mosquitto 1.2", "", digits=2)
        t.against(f"share that resumed after {what}", f"{key}_resumed_share", "mosquitto 1.2", "", digits=2)
    t.against("server CPU of a first connection, ms (TLS 1.3)", "handshake_ms_cpu", "mosquitto 1.3", "", digits=2)
    t.add("one closed slot a message, messages/s", t.of("live_per_s", OURS), digits=0)
    t.add("CPU of such a message, us", t.of("live_cpu_us", OURS))
    alone = t.of("mad_ack_p99_ms", "none")
    t.add("ack p99 of 1,000 gateways at 1,000 messages/s, ms", alone)
    for how, what in (("flood", "beside one that floods"), ("slow", "beside one that reads nothing"), ("half", "beside half frames")):
        ours = t.of("mad_ack_p99_ms", how)
        if ours is not None:
            t.add(f"the same, {what}", ours, floor=alone, ratio=None, goal="<= 2 x alone + 5 ms", met=ours <= 2 * alone + 5)
    for row in results.get("rows", []):
        t.add(**row)
    return t
