"""The gateways of the way of a press, each with a button that is pressed and a panel that is read."""
import os
import re
import selectors
import socket
import subprocess
import time

import stage

SHOWN_S = 40


class Box:
    """A gateway with a button node that only announces, and its panel as it says it in its log."""

    def __init__(self, town, number):
        self.folder, self.number, self.presses = town.box(number), number, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((f"127.0.1.{number}", 3610))
        self.rest, self.words = b"", []
        self.popen = subprocess.Popen([stage.binary("tomoshibi-gateway"), "--config", str(self.folder / "gateway.toml")],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                      preexec_fn=stage.die_with_parent)
        os.set_blocking(self.popen.stderr.fileno(), False)

    def press(self):
        """INF of 0xB1 (alarm status: 0x41), to this gateway alone. Each time another object of class 0x0003 (there can be 127): again
        the same one within a minute would be the same press."""
        self.presses += 1
        self.words.clear()
        self.socket.sendto(bytes.fromhex(f"108100010003{self.presses:02x}05ff017301b10141"), (f"127.0.2.{self.number}", 3610))

    def read(self):
        data = self.popen.stderr.read() or b""
        if self.popen.poll() is not None:
            stage.fail(f"gateway {self.number} ended with {self.popen.returncode}: {(self.rest + data)[-800:].decode(errors='replace')}")
        with open(self.folder / "gateway.log", "ab") as log:
            log.write(data)
        whole, _, self.rest = (self.rest + data).rpartition(b"\n")
        self.words += [w.decode() for w in re.findall(rb"mod=panel evt=shown word=(\w+)", whole)]

    def stop(self):
        self.popen.terminate()
        try:
            self.popen.wait(20)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        self.popen.stderr.close()
        self.socket.close()


class Boxes:
    def __init__(self, town):
        self.all = [Box(town, n) for n in range(1, town.count + 1)]
        self.selector = selectors.DefaultSelector()
        for box in self.all:
            self.selector.register(box.popen.stderr, selectors.EVENT_READ, box)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for box in self.all:
            box.stop()
        self.selector.close()

    def drain(self, seconds):
        for key, _ in self.selector.select(seconds):
            key.data.read()

    def press(self, box):
        """Answers whether its panel came to say that the guard centre has it."""
        box.press()
        until = time.monotonic() + SHOWN_S
        while "accepted" not in box.words:
            if time.monotonic() > until:
                return False
            self.drain(0.5)
        return True
