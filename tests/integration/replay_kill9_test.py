#!/usr/bin/env python3
"""Goal: kill -9 of gateway and relay, at rest and in the middle of work, loses no slot, doubles none, doubles no mail.

  replay_kill9_test.py [--kills N] [--seed N]      default: 200 kills, a fixed seed

Time stands still while a killed program is away, so the only moments that nobody saw are those between the gateway's
restart and its first readings: a slot in which the gateway was killed may be UNKNOWN, every other one may not. An alert is due
when the slots that are known say so.

The instants are drawn: moments of the record from first to last, and those around the alert's opening and end. At some the
program is killed while time stands still, at the others some milliseconds of work later.
"""
import argparse
import collections
import random
import time

import harness
import oracle_slots
import product
import replay

RECORD = str(harness.ROOT / "tools/demo.d/record/tihm-393cb.csv")
CHANNELS = ["fridge-door", "kitchen", "lounge", "front-door"]
CONTACTS = [{"name": "花子", "mail": "hanako@example.org", "lang": "ja"},
            {"name": "Robert", "mail": "robert@example.org", "lang": "en"}]
START, END = "2019-05-28T23:45:00Z", "2019-06-12T00:00:00Z"
# The alert is due 2019-06-01T21:45, the all-clear 2019-06-11T08:30.
ALWAYS = {"2019-06-01T21:44:59Z": ["relay"], "2019-06-01T21:45:00Z": ["relay", "gateway"], "2019-06-01T21:45:01Z": ["relay"],
          "2019-06-11T08:30:00Z": ["relay"], "2019-06-11T08:30:02Z": ["gateway", "relay"]}
WORK_MAX_S = 0.03  # of real time: some hundred steps of the programs


class Killer:
    def __init__(self, play, chance):
        self.play, self.random, self.slots_unseen, self.kills = play, chance, set(), collections.Counter()
        self.took_s = 0.0

    def kill(self, name):
        began = time.monotonic()
        made = self.play.product
        victim = {"gateway": made.gateway, "relay": made.relay}[name]
        victim.kill9()
        self.kills[name] += 1
        self.play.conductor.wait_for(f"left:{name}", 20)
        now_ms = self.play.conductor.virtual_now_ms()  # it stands still until the program is back
        {"gateway": made.start_gateway, "relay": made.start_relay}[name]()
        self.play.conductor.wait_for(f"joined:{name}", 30, made.processes())
        if name == "gateway":
            # The first readings come within seconds of virtual time: this slot, or the next one at its very end.
            self.slots_unseen |= {now_ms // oracle_slots.SLOT_MS, (now_ms + 30_000) // oracle_slots.SLOT_MS,
                                  (now_ms - 1) // oracle_slots.SLOT_MS}
        self.took_s += time.monotonic() - began

    def at(self, moment, names):
        in_work = moment not in ALWAYS and self.random.random() < 0.6
        if in_work:
            self.play.conductor.order("go 3")
            time.sleep(self.random.uniform(0, WORK_MAX_S))
        for name in names:
            self.kill(name)
        if not in_work:
            self.play.conductor.order("go 3")


def plan(kills, chance):
    """{moment: who is killed}, so many kills in all."""
    moments = dict(ALWAYS)
    left = kills - sum(map(len, ALWAYS.values()))
    first, past = oracle_slots.to_ms(START) // 1000 + 60, oracle_slots.to_ms(END) // 1000 - 60
    while left > 0:
        moment = oracle_slots.to_text(chance.randrange(first, past) * 1000)
        if moment not in moments:
            moments[moment] = [chance.choice(["gateway", "relay"])]
            left -= 1
    return moments


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20190529)
    args = parser.parse_args()
    print(f"--kills {args.kills} --seed {args.seed}", flush=True)
    chance = random.Random(args.seed)
    moments = plan(args.kills, chance)
    with replay.stage("kill9") as (namespace, folder), product.MailServer(harness.ROOT, namespace, folder / "mail") as mail:
        play = replay.Replay(namespace, folder, RECORD, replay.tihm_appliances(CHANNELS), START, END, contacts=CONTACTS,
                             mail=mail.settings, pauses=sorted(moments))
        play.begin()
        killer = Killer(play, chance)
        for at in [*sorted(moments), END]:
            event = play.until_paused(200)
            if event["at"] != at:
                harness.fail(f"paused at {event['at']} instead of {at}")
            if at != END:
                killer.at(at, moments[at])
        out = play.compare(lambda slot: slot in killer.slots_unseen)
        play.compare_alerts(out)
        mails = mail.mails()
        play.finish()
        check(out, mails, killer)
        print(f"{sum(killer.kills.values())} kills ({dict(killer.kills)}): {out.compared} slots, {out.states}, "
              f"{out.alerts} alert, {len(mails)} mails, {play.took:.0f} s, {killer.took_s:.0f} s of it kills and starts")


def check(out, mails, killer):
    if not out.ok():
        harness.fail(out.report())
    if out.missing:
        harness.fail(f"{out.missing} slots never arrived")
    if killer.kills["gateway"] < 3 or killer.kills["relay"] < 3:
        harness.fail(f"too few kills to mean anything: {killer.kills}")
    if out.states["unknown"] > len(killer.slots_unseen) * len(CHANNELS):
        harness.fail(f"{out.states['unknown']} slots UNKNOWN")
    doubled = [k for k, n in collections.Counter(m["message_id"] for m in mails).items() if n > 1]
    if doubled:
        harness.fail(f"mails that came twice: {doubled}")
    per_person = collections.Counter(m["to"] for m in mails)
    if len(mails) != 4 or sorted(per_person.values()) != [2, 2]:
        harness.fail(f"an alert and an all-clear for two people are 4 mails, got {[(m['to'], m['subject']) for m in mails]}")


if __name__ == "__main__":
    main()
