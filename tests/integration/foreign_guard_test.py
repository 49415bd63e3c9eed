#!/usr/bin/env python3
"""Goal: an alarm receiver that nobody here wrote, npm's iobroker.sia, takes what our DC-09 sender says, as Contact ID and as
SIA DCS, plain and under AES with every size of key; and our strict reader believes its answers, and only those.

  foreign_guard_test.py DC09_SEND      the program tests/tools/guard/dc09_send
"""
import json
import os
import pathlib
import subprocess
import sys

import harness

FOREIGN = pathlib.Path(__file__).resolve().parent / "foreign_guard"
ACCOUNT = "12AB"
KEYS = ["-", "000102030405060708090A0B0C0D0E0F", "0F" * 24, "A5" * 32]
EVENTS = 27  # all that protocol/dc09/content.hpp knows


class Receiver:
    def __init__(self, key, cache):
        self.popen = subprocess.Popen(
            ["node", str(FOREIGN / "receiver.js"), "127.0.0.1", ACCOUNT, key], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, preexec_fn=harness.die_with_parent, env={**os.environ, "NODE_PATH": str(cache / "node_modules")})
        ready = json.loads(self.popen.stdout.readline())
        if ready["kind"] != "ready":
            harness.fail(f"the foreign receiver did not start: {ready}")
        self.port = ready["port"]

    def end(self):
        """Everything that it said."""
        self.popen.stdin.close()
        said = [json.loads(line) for line in self.popen.stdout]
        self.popen.wait(10)
        return said


def send(program, receiver, form, account, key, count, seconds):
    done = subprocess.run([program, "127.0.0.1", str(receiver.port), form, account, key, str(count), str(seconds)],
                          capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout.splitlines(), done.stderr.strip()


def check_taken(form, key, cache, program):
    receiver = Receiver(key, cache)
    code, lines, doubts = send(program, receiver, form, ACCOUNT, key, EVENTS, 30)
    said = receiver.end()
    what = f"{form}, key of {0 if key == '-' else len(key) * 4} bits"
    if code != 0 or len(lines) != EVENTS or doubts:
        harness.fail(f"{what}: {lines} {doubts} {said[-3:]}")
    taken = [one for one in said if one["kind"] == "taken"]
    if sorted(int(one["sequence"]) for one in taken) != list(range(1, EVENTS + 1)):
        harness.fail(f"{what}: the receiver took {[one['sequence'] for one in taken]}")
    for one in taken:
        inside = one["data"]
        if not inside.startswith(f"#{ACCOUNT}|") or not inside.endswith(f"{int(one['sequence']):03d}"):
            harness.fail(f"{what}: the receiver read {one}")
        if not one["extension"].startswith("H"):
            harness.fail(f"{what}: no time of occurrence: {one}")
    first = "#12AB|1101 01 001" if form == "adm-cid" else "#12AB|Nri1/QA001"
    if taken[0]["data"] != first:
        harness.fail(f"{what}: the first event should be {first}: {taken[0]}")
    print(f"{what}: {len(taken)} events taken, all answers believed")


def check_refused(what, account, key, receiver_key, cache, program):
    """Whatever such a receiver answers, the sender must not call it delivered. (Under another key it sometimes takes the noise
    that comes out of its cipher, and acknowledges it, under its own key.)"""
    receiver = Receiver(receiver_key, cache)
    code, lines, doubts = send(program, receiver, "adm-cid", account, key, 1, 2)
    said = receiver.end()
    if code == 0 or lines != ["1 given_up"] or any(one.get("data", "").startswith("#12AB|1") for one in said):
        harness.fail(f"{what}: {lines} {doubts} {said}")
    print(f"{what}: not delivered, heard: {' '.join(sorted(set(doubts.split())))}")


def main():
    program = sys.argv[1]
    cache = harness.npm_packages(FOREIGN)
    for form in ("adm-cid", "sia-dcs"):
        for key in KEYS:
            check_taken(form, key, cache, program)
    check_refused("unknown account", "9999", "-", "-", cache, program)
    check_refused("another key", ACCOUNT, KEYS[1], "FF" * 16, cache, program)
    check_refused("plain where a key is set", ACCOUNT, "-", KEYS[1], cache, program)


if __name__ == "__main__":
    main()
