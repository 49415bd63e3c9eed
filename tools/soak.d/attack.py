"""What strangers do to a daemon's ports, for a few seconds: run inside the soak's namespace, one kind a call.

    attack.py KIND SECONDS SEED
"""
import random
import socket
import sys
import time

DEVICE, PAGES, UDP = ("127.0.0.1", 8443), ("127.0.0.1", 9464), ("127.0.0.1", 3610)
HALF_CLIENT_HELLO = bytes.fromhex("16030100c8010000c40303")


def connections(where, count):
    out = []
    for _ in range(count):
        try:
            made = socket.create_connection(where, 1)
            made.settimeout(1)
            out.append(made)
        except OSError:
            pass
    return out


def send(sockets, data):
    for s in sockets:
        try:
            s.sendall(data)
        except OSError:
            pass


def garbage(where, end, rand):
    while time.monotonic() < end:
        for s in connections(where, 4):
            send([s], rand.randbytes(rand.randrange(1, 8000)))
            s.close()
        time.sleep(0.02)


def udp_garbage(end, rand):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        while time.monotonic() < end:
            for _ in range(20):
                head = rand.choice([b"", b"\x10\x81", b"\x10\x81\x00\x01\x05\xff\x01\x0e\xf0\x01\x62"])
                try:
                    s.sendto(head + rand.randbytes(rand.randrange(0, 300)), UDP)
                except OSError:
                    pass
            time.sleep(0.02)


def idle(where, end, first, drip):
    held = connections(where, 40)
    send(held, first)
    while time.monotonic() < end:
        time.sleep(0.5)
        send(held, drip)


def main():
    kind, seconds, rand = sys.argv[1], float(sys.argv[2]), random.Random(int(sys.argv[3]))
    end = time.monotonic() + seconds
    if kind == "tls-garbage":
        garbage(DEVICE, end, rand)
    elif kind == "pages-garbage":
        garbage(PAGES, end, rand)
    elif kind == "udp-garbage":
        udp_garbage(end, rand)
    elif kind == "half-handshakes":
        idle(DEVICE, end, HALF_CLIENT_HELLO, b"\x00")
    elif kind == "idle-pages":
        idle(PAGES, end, b"GET / HTTP/1.1\r\nHost: x\r\n", b"X")
    elif kind == "silent-connections":
        idle(DEVICE, end, b"", b"")
    else:
        raise SystemExit(f"unknown kind '{kind}'")


if __name__ == "__main__":
    main()
