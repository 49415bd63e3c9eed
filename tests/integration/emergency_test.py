#!/usr/bin/env python3
"""Goal: with the real daemons, every press ends as exactly one line of the guard centre's list or as a visible "not delivered",
whatever breaks on its way: kill -9 of gateway, relay and guard centre, a relay that is down, wrong answers, a line that is cut or
loses packets, a full disk, wrong clocks, a full outbox, a thousand others that reconnect. What the panel shows goes forward only,
and never says "accepted" before the centre has it.

    emergency_test.py [--only NAME]... [--long] [--away-s N]        without: what costs seconds
"""
import argparse
import contextlib
import os
import subprocess
import time

import bad_machine_test as bad
import emergency_hard as hard
import harness
import product
from emergency_stage import DELIVERED_S, FORWARD, UNDELIVERED_AFTER_S, Press, Way, firewall
from guard_centre import LANE_PORT
from guard_centre import PORT as GUARD_PORT
from stage import wait_until

# ---- scenarios: each leaves everything as it was

def plain(way):
    press = Press(way)
    said = press.delivered()
    entry = way.guard.booked()[-1]
    if entry["event"] != "personal emergency" or entry["test"] or not entry["encrypted"] or len(entry["reference"]) != 16:
        harness.fail(f"not as it should be: {entry}")
    if [w for w in press.words() if w != "idle"] not in (FORWARD, FORWARD[0:1] + FORWARD[2:]):
        harness.fail(f"the panel showed {press.words()}")
    if way.mail:
        mails = wait_until(lambda: [m for m in way.mail.mails() if "aki@example.net" in str(m["to"])], 20, "no mail to the family")
        said += f", {len(mails)} mails"
    return said


def drill(way):
    before = len(way.guard.booked())
    way.all.ctl("drill", way.all.home)
    entry = wait_until(lambda: way.guard.booked()[before:], DELIVERED_S, lambda: way.told("no drill in the list"))[0]
    if not entry["test"] or entry["event"] != "manual test":
        harness.fail(f"a drill that is no test: {entry}")
    way.no_more_lines(before + 1, "a drill")
    return f"entry {entry['entry']} is a test"


def operators(way):
    """What tomoshibi-ctl asks for and shows, with the relay and the centre behind it."""
    all_, said = way.all, []
    before = len(way.guard.entries_of("booked"))
    Press(way).delivered()
    said.append(all_.ctl("drill", all_.home, "--wait").splitlines()[-1])
    said.append(all_.ctl("guard", "test", all_.home).splitlines()[-1])
    name = all_.ctl_json("home", "list", "--json")[0]["name"]
    wrong = all_.ctl_refused("dispatch", all_.home, "--who", "x", "--reason", "y", "--confirm", name + "?")
    if wrong.returncode != 2 or "nobody was asked" not in wrong.stderr:
        harness.fail(f"a dispatch without the home's name: {wrong.returncode} {wrong.stderr}")
    said.append(all_.ctl("dispatch", all_.home, "--who", "a daughter", "--reason", "no answer", "--confirm", name).splitlines()[-1])
    booked = [(entry["event"], entry["test"]) for entry in way.guard.entries_of("booked")[before:]
              if entry["event"] != "periodic test"]
    if sorted(booked) != [("general alarm", False), ("manual test", True), ("manual test", True), ("personal emergency", False)]:
        harness.fail(f"the operator's list: {booked}")
    if any("daughter" in str(entry) or "no answer" in str(entry) for entry in way.guard.entries_of("booked")):
        harness.fail("the centre was told who asked, or why")
    report = all_.ctl_json("emergency", "report", all_.home, "--json")[0]["homes"][0]
    for kind in ("presses", "drills"):
        if not (report[kind]["delivered"] and report[kind]["hops"]["whole"]["n"]) or report[kind]["open"]:
            harness.fail(f"the report: {report}")
    return "; ".join(said)


def wrong_answers(way):
    for order in ("nak count=2", "silence", "duplicate", "wrong-sequence", "wrong-account", "bad-crc", "stale", "reset", "slow delay=2",
                  "unframed", "deaf", "delay delay=1500"):
        way.guard.order(f"misbehave answer={order}")
        print(f"    {order}: {Press(way).delivered()}", flush=True)
        way.guard.order("clear")
    return "twelve answers"


def relay_down(way):
    way.all.relay.kill9()
    press = Press(way)
    said = press.delivered()
    if "received" in press.words():
        harness.fail(f"nobody had received it: {press.words()}")
    booked = len(way.guard.booked())
    way.all.start_relay()
    way.settled()
    way.no_more_lines(booked, "the relay is back")
    return said + ", directly"


def guard_away(way):
    """Nobody has it: the panel says so, and goes on trying."""
    way.guard.kill9()
    press = Press(way).shows("not_delivered", UNDELIVERED_AFTER_S + 10)
    if "accepted" in press.words():
        harness.fail(f"accepted by nobody: {press.words()}")
    way.guard.start()
    return press.delivered(60)


def guard_dies(way):
    """In its list, not acknowledged, killed."""
    way.guard.order("misbehave answer=die")
    press = Press(way)
    way.guard.popen.wait(DELIVERED_S)
    if "accepted" in press.words():
        harness.fail(f"accepted without an acknowledgement: {press.words()}")
    way.guard.start()
    return press.delivered(60)


def gateway_killed(way):
    """At each step of the way."""
    said = ""
    for word, order in (("calling", "deaf"), ("received", "deaf"), ("accepted", None)):
        if order:
            way.guard.order(f"misbehave answer={order} count=0")
        press = Press(way).shows(word)
        way.all.gateway.kill9()
        way.guard.order("clear")
        booked = len(way.guard.booked())
        seen = len(way.panel.shown)
        way.all.start_gateway()
        wait_until(lambda: "mod=gateway evt=running" in way.all.gateway.said(), 10, lambda: way.told("the gateway does not start"))
        if ("evt=presses_open" in way.all.gateway.said()) != (word != "accepted"):
            harness.fail(way.told(f"killed after {word}: whether a press is open is told wrongly"))
        if word == "accepted":
            way.settled()
            way.no_more_lines(booked, "started again")
            way.announce("release")
        else:
            press.seen = seen
            press.shows("accepted", 60)
            way.no_more_lines(press.before + 1, "started again")
            way.announce("release")
        said += f"after {word}; "
        way.settled()
    return said


def relay_killed(way):
    said = ""
    for word in ("received", "accepted"):
        if word == "received":
            way.guard.order("misbehave answer=deaf count=0")
        press = Press(way).shows(word)
        way.all.relay.kill9()
        way.guard.order("clear")
        way.all.start_relay()
        press.delivered(60)
        way.settled()
        said += f"after {word}; "
    return said


def line_cut(way):
    """Everything is half open, both ways to the centre; later the line is back."""
    ports = f"{{ {product.DEVICE_PORT}, {LANE_PORT}, {GUARD_PORT} }}"
    heal = firewall(way, f"tcp dport {ports} drop", f"tcp sport {ports} drop")
    try:
        press = Press(way).shows("not_delivered", UNDELIVERED_AFTER_S + 10)
        if press.words()[-1] == "accepted" or "received" in press.words():
            harness.fail(f"nobody can have it: {press.words()}")
    finally:
        heal()
    return press.delivered(60)


def lane_half_open(way):
    """Only the way to the relay is cut: the gateway calls the centre itself."""
    heal = firewall(way, f"tcp dport {LANE_PORT} drop", f"tcp sport {LANE_PORT} drop")
    try:
        press = Press(way)
        said = press.delivered()
    finally:
        heal()
    way.settled()
    return said


def loss(way):
    heal = firewall(way, f"tcp dport {{ {LANE_PORT}, {GUARD_PORT} }} numgen random mod 100 < 30 drop",
                    f"tcp sport {{ {LANE_PORT}, {GUARD_PORT} }} numgen random mod 100 < 30 drop")
    try:
        return "; ".join(Press(way).delivered(90) for _ in range(3))
    finally:
        heal()


def full_disk(way):
    """The gateway's folder has no byte left: 64 presses have their room all the same."""
    if way.disk is None:
        return "skipped: no mount namespace"
    way.disk.fill()
    try:
        return "; ".join(Press(way).delivered() for _ in range(3))
    finally:
        way.disk.give_back()


QUICK = {"plain": plain, "relay_down": relay_down, "guard_dies": guard_dies, "gateway_killed": gateway_killed,
         "relay_killed": relay_killed, "drill": drill, "operators": operators}
LONG = {"wrong_answers": wrong_answers, "guard_away": guard_away, "lane_half_open": lane_half_open, "line_cut": line_cut,
        "full_disk": full_disk, "loss": loss, "delay": hard.delay, "duh": hard.duh, "second_receiver": hard.second_receiver,
        "clocks": hard.clocks, "relay_away": hard.relay_away}
# On a stage of their own, which they set up and start.
APART = {"backlog": hard.backlog, "storm": hard.storm}
DISK_MIB = 4


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", action="append", choices=[*QUICK, *LONG, *APART])
    options.add_argument("--long", action="store_true", help="all of them: a quarter of an hour")
    options.add_argument("--away-s", type=int, default=60, help="for so long the relay is away in relay_away (default 60)")
    asked = options.parse_args()
    harness.need_root()
    if asked.long or asked.only:
        bad.enter_own_mounts()
    names = asked.only or [*QUICK, *([*LONG, *APART] if asked.long else [])]
    together = [name for name in names if name not in APART]
    if together:
        with stage(together) as way, small_disk(way):
            way.away_s = asked.away_s
            way.start()
            for name in together:
                run(name, {**QUICK, **LONG}[name], way)
            way.stop()
    for name in names:
        if name in APART:
            with stage([name]) as way:
                run(name, APART[name], way)
                way.stop()


@contextlib.contextmanager
def stage(names):
    apart = names[0] in APART
    with harness.work_folder("emergency") as folder, harness.Namespace("emergency") as namespace, \
            product.MailServer(harness.ROOT, namespace, folder / "mail") as mail:
        yield Way(namespace, folder, mail, hard.BACKLOG_WATCHED if apart else ())


def run(name, scenario, way):
    began = time.monotonic()
    said = scenario(way)
    print(f"{name}: {said} ({time.monotonic() - began:.1f} s)", flush=True)


@contextlib.contextmanager
def small_disk(way):
    """For the gateway's state, where we may mount."""
    way.disk = None
    if bad.OWN_MOUNTS not in os.environ:
        yield
        return
    with contextlib.ExitStack() as cleanup:
        cleanup.addCleanup = cleanup.callback  # as unittest calls it
        way.disk = bad.Disk(cleanup, DISK_MIB)
        state = way.all.box / "state"
        state.mkdir(mode=0o700)
        harness.run(["mount", "--bind", str(way.disk.path), str(state)])
        cleanup.callback(subprocess.run, ["umount", "--lazy", str(state)], check=False)
        yield


if __name__ == "__main__":
    main()
