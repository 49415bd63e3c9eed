#!/usr/bin/env python3
"""Goal: what a bad machine does to the gateway, and what a mail server that is away for days does to the relay, loses nothing:
a full disk, a kill on a full disk, a destroyed outbox; time is the replay's.

    gateway_machine_test.py full-disk | damaged-outbox | mail-server-away
"""
import contextlib
import pathlib
import random
import subprocess
import sys

import bad_machine_test as bad
import harness
import oracle_slots
import product
import replay

RECORD = str(harness.ROOT / "tools/demo.d/record/tihm-393cb.csv")
CHANNELS = ["fridge-door", "kitchen", "front-door"]


class Cleaner(contextlib.ExitStack):
    def addCleanup(self, what):  # pylint: disable=invalid-name  as unittest calls it
        self.callback(what)


def begin(folder, namespace, pauses, end, **more):
    options = {"channels": CHANNELS, "start": "2019-05-28T23:45:00Z", "poll_s": 300, "gap_s": 900, "days": 3, **more}
    play = replay.Replay(namespace, folder, RECORD, replay.tihm_appliances(options["channels"], options["days"]), options["start"],
                         end, poll_s=options["poll_s"], gap_s=options["gap_s"], pauses=pauses, mail=options.get("mail"))
    return play


def log_of(play, name="gateway"):
    return (play.product.folder / f"{name}.log").read_text()


def restart_gateway(play):
    """Ends in a time that stands still; the slots in which nobody looked."""
    now = play.conductor.virtual_now_ms()
    play.product.start_gateway()
    play.conductor.wait_for("joined:gateway", 30, play.product.processes())
    return {now // oracle_slots.SLOT_MS, (now + 300_000) // oracle_slots.SLOT_MS, (now - 1) // oracle_slots.SLOT_MS}


def end(play, unseen=frozenset(), missing_allowed=0):
    play.until_paused(300)
    out = play.compare(lambda slot: slot in unseen)
    play.finish()
    if not out.ok():
        harness.fail(out.report())
    if out.missing > missing_allowed:
        harness.fail(f"{out.missing} slots never arrived")
    if out.states["unknown"] > len(unseen) * len(CHANNELS):
        harness.fail(f"{out.states['unknown']} slots UNKNOWN")
    return out


def full_disk(namespace, folder, cleaner):
    disk = bad.Disk(cleaner, 4)
    play = begin(folder, namespace, ["2019-05-29T06:00:01Z", "2019-05-29T12:00:01Z", "2019-05-29T14:00:01Z", "2019-05-29T15:00:01Z"],
                 "2019-05-29T20:00:00Z")
    state = play.product.box / "state"
    state.mkdir(mode=0o700)
    harness.run(["mount", "--bind", str(disk.path), str(state)])
    cleaner.callback(lambda: subprocess.run(["umount", "--lazy", str(state)], check=False))
    play.begin()
    play.until_paused(200)
    disk.fill()
    play.conductor.order("go 3")
    play.until_paused(200)                     # six hours on a full disk
    if "evt=store_failed" not in log_of(play) or "storage_full" not in log_of(play):
        harness.fail(f"the gateway did not tell of the full disk: {harness.tail(play.product.gateway.log)}")
    if "evt=store_well" in log_of(play):
        harness.fail("it was well on a full disk: this test shows nothing")
    disk.give_back()
    play.conductor.order("go 3")
    play.until_paused(200)
    if "evt=store_well" not in log_of(play):
        harness.fail("the gateway did not go on when there was room")
    disk.fill()
    play.product.gateway.kill9()               # and killed on a full disk at rest: all its slots are at the relay
    play.conductor.wait_for("left:gateway", 20)
    # A start needs a little room on the disk: until there is some nothing is read, and those slots are UNKNOWN, never quiet.
    began = play.conductor.virtual_now_ms()
    unseen = restart_gateway(play)
    play.conductor.order("go 3")
    play.until_paused(200)
    unseen |= set(range(began // oracle_slots.SLOT_MS, play.conductor.virtual_now_ms() // oracle_slots.SLOT_MS + 1))
    disk.give_back()
    play.conductor.order("go 3")
    out = end(play, unseen)
    print(f"{out.compared} slots over two times of a full disk and a kill: {out.states}, none missing, {play.took:.0f} s")


def damaged_outbox(namespace, folder, cleaner):
    play = begin(folder, namespace, ["2019-05-29T06:00:01Z", "2019-05-29T09:00:01Z"], "2019-05-29T12:00:00Z")
    play.begin()
    unseen = set()
    for damage in ("noise", "short"):
        play.until_paused(200)
        play.product.gateway.kill9()
        play.conductor.wait_for("left:gateway", 20)
        outbox = play.product.box / "state/outbox.db"
        data = outbox.read_bytes()
        outbox.write_bytes(random.Random(1).randbytes(len(data)) if damage == "noise" else data[:len(data) // 2])
        for extra in ("-wal", "-shm"):
            pathlib.Path(str(outbox) + extra).unlink(missing_ok=True)
        unseen |= restart_gateway(play)
        play.conductor.order("go 3")
    out = end(play, unseen)
    aside = sorted(p.name for p in (play.product.box / "state").iterdir() if "corrupt" in p.name)
    if not aside:
        harness.fail("the damaged outbox was not put aside")
    print(f"{out.compared} slots over two damaged outboxes: {out.states}; put aside: {aside}, {play.took:.0f} s")


def mail_server_away(namespace, folder, cleaner):
    """Down for more than a day after the alert is due: told when it is back, once."""
    mail_folder = folder / "mail"
    with product.MailServer(harness.ROOT, namespace, mail_folder) as server:
        settings, port = server.settings, server.settings["port"]
    play = begin(folder, namespace, ["2019-06-01T03:10:00Z"], "2019-06-01T05:00:00Z", channels=["lounge"],
                 start="2019-05-29T23:45:00Z", days=1, mail=settings)
    play.begin()
    play.until_paused(300)
    if "evt=retry" not in log_of(play, "relay"):
        harness.fail("no mail was tried: this test shows nothing")
    tries = log_of(play, "relay").count("evt=retry")
    harness.run(namespace.exec([str(harness.ROOT / "tools/mail-server"), "start", str(mail_folder), "--port", str(port)]))
    cleaner.callback(lambda: subprocess.run(namespace.exec([str(harness.ROOT / "tools/mail-server"), "stop", str(mail_folder)]),
                                            check=False))
    play.conductor.order("go 3")
    play.until_paused(300)
    mails = server.mails()
    alerts = play.product.ctl_json("alerts", play.product.home, "--all", "--json")
    play.finish()
    unused = [a for a in alerts if a["kind"] == "unused"]
    if len(unused) != 1 or len(mails) != 1:
        harness.fail(f"{len(unused)} alerts, mails: {[(m['to'], m['subject']) for m in mails]}")
    if tries < 24:
        harness.fail(f"only {tries} tries in more than a day")
    print(f"an alert, {tries} tries in vain, one mail when the server was back, {play.took:.0f} s")


def main():
    what = {"full-disk": full_disk, "damaged-outbox": damaged_outbox, "mail-server-away": mail_server_away}[sys.argv[1]]
    with replay.stage(sys.argv[1]) as (namespace, folder), Cleaner() as cleaner:
        what(namespace, folder, cleaner)


if __name__ == "__main__":
    bad.enter_own_mounts()
    main()
