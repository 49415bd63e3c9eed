#!/usr/bin/env python3
"""Goal: what a killed demo or test leaves behind (its namespace, a mail server in it) the next start removes, and nothing else."""
import os
import pathlib
import subprocess
import sys

import harness

HOLDER = """
import subprocess, sys, time
sys.path.insert(0, sys.argv[1])
import stage
with stage.Namespace("left") as n:
    # Like a mail server: it does not die with its starter.
    sleeper = subprocess.Popen(n.exec(["sleep", "600"]), start_new_session=True)
    print(n.name, sleeper.pid, flush=True)
    time.sleep(600)
"""


def hold():
    holder = subprocess.Popen([sys.executable, "-B", "-c", HOLDER, str(harness.ROOT / "tools/lib")], stdout=subprocess.PIPE, text=True)
    name, sleeper = holder.stdout.readline().split()
    return holder, name, int(sleeper)


def there(name):
    return name in harness.run(["ip", "netns", "list"]).split()


def runs(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def main():
    harness.need_root()
    killed, left, orphan = hold()
    alive, kept, guest = hold()
    killed.kill()
    killed.wait()
    if not there(left) or not runs(orphan):
        harness.fail("nothing was left behind: this test shows nothing")
    with harness.Namespace("next") as n:
        if there(left) or runs(orphan):
            harness.fail("what the killed one left is still there")
        if not there(kept) or not runs(guest) or not there(n.name):
            harness.fail("something that is in use was removed")
    alive.terminate()
    alive.wait()
    os.kill(guest, 9)
    harness.remove_leftovers()
    if there(kept):
        harness.fail("terminated without a handler, it left its namespace")
    print("leftovers of the killed one are gone, the other one's stayed")


if __name__ == "__main__":
    main()
