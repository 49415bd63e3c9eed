#!/usr/bin/env python3
"""Goal: kill -9 of gateway and relay, at rest and in the middle of work, loses no slot, doubles none, doubles no mail.

Time stands still while a killed program is away, so the only moments that nobody saw are those between the gateway's
restart and its first readings: a slot in which the gateway was killed may be UNKNOWN, every other one may not.
"""
import collections
import random

import harness
import oracle_slots
import product
import replay

RECORD = str(harness.ROOT / "tools/demo.d/record/tihm-393cb.csv")
CHANNELS = ["fridge-door", "kitchen", "lounge", "front-door"]
CONTACTS = [{"name": "花子", "mail": "hanako@example.org", "lang": "ja"},
            {"name": "Robert", "mail": "robert@example.org", "lang": "en"}]
# The alert is due 2019-06-01T21:45, the all-clear 2019-06-11T08:30.
AT_REST = {"2019-05-29T10:00:00Z": ["gateway"], "2019-06-01T21:44:59Z": ["relay"], "2019-06-01T21:45:00Z": ["relay", "gateway"],
           "2019-06-01T21:45:01Z": ["relay"], "2019-06-04T12:15:00Z": ["gateway"], "2019-06-11T08:30:00Z": ["relay"],
           "2019-06-11T08:30:02Z": ["gateway", "relay"]}
SEED = 20190529


class Killer:
    def __init__(self, play):
        self.play, self.random, self.slots_unseen, self.kills = play, random.Random(SEED), set(), collections.Counter()

    def kill(self, name):
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

    def at_rest(self, names):
        for name in names:
            self.kill(name)
        self.play.conductor.order("go 3")


def main():
    print(f"seed {SEED}")
    with replay.stage("kill9") as (namespace, folder), product.MailServer(harness.ROOT, namespace, folder / "mail") as mail:
        play = replay.Replay(namespace, folder, RECORD, replay.tihm_appliances(CHANNELS), "2019-05-28T23:45:00Z",
                             "2019-06-12T00:00:00Z", contacts=CONTACTS, mail=mail.settings, pauses=list(AT_REST))
        play.begin()
        killer = Killer(play)
        pauses = sorted(AT_REST) + [play.end_text]
        for at in pauses:
            # One kill in the middle of work on the way to each pause point, after a random piece of real time.
            kill_in_work(play, killer)
            event = play.until_paused(200)
            if event["at"] != at:
                harness.fail(f"paused at {event['at']} instead of {at}")
            if at != play.end_text:
                killer.at_rest(AT_REST[at])
        out = play.compare(lambda slot: slot in killer.slots_unseen)
        play.compare_alerts(out)
        mails = mail.mails()
        play.finish()
        check(out, mails, killer)
        print(f"{sum(killer.kills.values())} kills ({dict(killer.kills)}): {out.compared} slots, {out.states}, "
              f"{out.alerts} alert, {len(mails)} mails, {play.took:.0f} s")


def kill_in_work(play, killer):
    name = killer.random.choice(["gateway", "relay"])
    if not play.conductor.paused_within(killer.random.uniform(0.05, 1.0)):
        killer.kill(name)


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
