#!/usr/bin/env python3
"""Goal: over real UDP, the simulated home's devices announce exactly the record's use, at the record's milliseconds, and
answer discovery; measured by a participant and listener that share no code with the product."""
import os
import socket
import subprocess
import sys

import harness
import oracle_slots

RECORD = str(harness.ROOT / "tools/demo.d/record/tihm-393cb.csv")
MAP = str(harness.ROOT / "tools/demo.d/record/home.toml")
START, END = "2019-05-28T12:00:00Z", "2019-06-02T12:00:00Z"
# (address, EOJ): channel, hold in seconds, property of its use
DEVICES = {("127.0.0.11", "03b701"): ("fridge-door", 30, 0xB0), ("127.0.0.12", "000701"): ("kitchen", 60, 0xB1),
           ("127.0.0.13", "000701"): ("lounge", 60, 0xB1), ("127.0.0.14", "000701"): ("bedroom", 60, 0xB1),
           ("127.0.0.15", "000701"): ("bathroom", 60, 0xB1), ("127.0.0.16", "002901"): ("front-door", 30, 0xB1),
           ("127.0.0.17", "002901"): ("back-door", 30, 0xB1)}
GROUP = "224.0.23.0"


def listen():
    group = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    group.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    group.bind((GROUP, 3610))
    group.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + socket.inet_aton("127.0.0.1"))
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    own.bind(("127.0.0.1", 3610))
    own.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
    for s in (group, own):
        s.setblocking(False)
    return group, own


def waiting(sock):
    while True:
        try:
            data, sender = sock.recvfrom(2000)
        except BlockingIOError:
            return
        if sender[0] != "127.0.0.1":
            yield data, sender[0]


def inside(folder):
    """Within the namespace: conduct, take part, listen."""
    group, own = listen()
    home = harness.ConductedHome(Inside(), folder,
                                 ["--record", RECORD, "--map", MAP, "--start", START, "--end", END, "--expect", "2"])
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.connect(home.socket)
    line.sendall(b"join probe\n")
    announced = {device: [] for device in DEVICES}
    found = {}
    runs = 0
    asked = False
    for text in line.makefile("r"):
        _, _, wall = text.split()
        handlers = 0
        if not asked:
            asked = True
            handlers += 1
            own.sendto(bytes.fromhex("1081000105ff010ef0016201d600"), (GROUP, 3610))
        for data, sender in list(waiting(group)) + list(waiting(own)):
            handlers += 1
            seoj, esv = data[4:7].hex(), data[10]
            if esv == 0x73 and (sender, seoj) in DEVICES:
                epc, value = data[12], data[14]
                assert epc == DEVICES[(sender, seoj)][2], data.hex()
                announced[(sender, seoj)].append((int(wall), value))
            elif esv == 0x72 and data[12] == 0xD6:
                found[sender] = {data[15 + 3 * i:18 + 3 * i].hex() for i in range(data[14])}
        runs += 1
        line.sendall(f"ran {handlers} never\n".encode())
    home.stop()
    return announced, found, runs


class Inside:
    """Already inside: nothing to enter."""

    @staticmethod
    def exec(command):
        return command


def expected(channel, hold):
    start, end = oracle_slots.to_ms(START), oracle_slots.to_ms(END)
    merged = []
    for begin, past in oracle_slots.uses(oracle_slots.read_events(RECORD)[channel], str(hold)):
        if merged and begin <= merged[-1][1]:
            merged[-1][1] = past
        else:
            merged.append([begin, past])
    edges = [(b, 0x41) for b, _ in merged] + [(p, 0x42) for _, p in merged]
    return sorted(e for e in edges if start <= e[0] <= end)


def main():
    if os.environ.get("TMS_INSIDE") is None:
        harness.need_root()
        with harness.Namespace("home") as namespace:
            done = subprocess.run(namespace.exec([sys.executable, __file__]), env={**os.environ, "TMS_INSIDE": "1"},
                                  preexec_fn=harness.die_with_parent, check=False)
        sys.exit(done.returncode)
    with harness.work_folder("home") as folder:
        announced, found, runs = inside(folder)
        for (address, eoj), (channel, hold, _) in DEVICES.items():
            got, want = announced[(address, eoj)], expected(channel, hold)
            if got != want:
                harness.fail(f"{channel}: {len(got)} announcements, the record demands {len(want)}; first difference: "
                             f"{next((p for p in zip(got, want) if p[0] != p[1]), (got[-2:], want[-2:]))}")
            assert eoj in found.get(address, set()), f"{address} did not answer the search with {eoj}: {found}"
        total = sum(map(len, announced.values()))
        assert total > 1000, total
        print(f"{total} announcements of {len(DEVICES)} devices at the record's milliseconds, {runs} runs")


if __name__ == "__main__":
    main()
