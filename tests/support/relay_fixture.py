"""A real relay on loopback with a home and gateways, and a gateway's side of the device channel in a few lines.

Needs tomoshibi-relay and tomoshibi-ctl (paths given by the test). Standard library only.
"""

import pathlib
import re
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import urllib.request

from wire import BYE, BYE_REASONS, HELLO, PING, PONG, RECORDS, WELCOME, fields, fixed64, frame, nested, number, signed

PATIENCE_S = 30  # for anything that has to happen; a relay that needs as long is broken


def hello(gateway, epoch=7, oldest=1, following=1, version=1):
    return frame(HELLO, number(1, version) + nested(2, gateway.encode()) + fixed64(3, 99) + nested(4, b"test")
                 + fixed64(5, epoch) + number(6, oldest) + number(7, following))


def slot_record(slot, appliance=1, state=1):
    body = signed(1, slot) + nested(3, number(1, appliance) + number(2, state) + number(6, 15) + number(7, 15))
    return nested(1, body) + signed(15, (slot + 1) * 900_000)


def records(first, *items):
    return frame(RECORDS, number(1, first) + b"".join(nested(2, item) for item in items))


class Gateway:
    """One TLS connection of a box."""

    def __init__(self, port, box, server_name="127.0.0.1", with_certificate=True):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_verify_locations(box / "ca.pem")
        if with_certificate:
            context.load_cert_chain(box / "gateway.pem", box / "gateway.key")
        plain = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.socket = context.wrap_socket(plain, server_hostname=server_name)
        self.socket.settimeout(PATIENCE_S)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def receive(self):
        """The next frame as (kind, fields); None when the relay has hung up."""
        while len(self.buffer) < 2 or len(self.buffer) < 2 + struct.unpack(">H", self.buffer[:2])[0]:
            try:
                got = self.socket.recv(65536)
            except (ConnectionError, ssl.SSLError):
                return None
            if not got:
                return None
            self.buffer += got
        size = struct.unpack(">H", self.buffer[:2])[0]
        (kind, body), = fields(self.buffer[2:2 + size]).items()
        self.buffer = self.buffer[2 + size:]
        return kind, fields(body)

    def receive_kind(self, wanted):
        while (got := self.receive()) is not None:
            if got[0] == wanted:
                return got[1]
        raise AssertionError(f"the relay hung up before a frame of kind {wanted}")

    def bye(self):
        """The reason of the Bye that must come; the relay must hang up after it."""
        reason = BYE_REASONS[self.receive_kind(BYE)[1]]
        assert self.receive() is None, "a frame after Bye"
        return reason

    def come_in(self, name, **kwargs):
        self.send(hello(name, **kwargs))
        return self.receive_kind(WELCOME)

    def alive(self):
        self.send(frame(PING, number(1, 42)))
        return self.receive_kind(PONG)[1] == 42


class LogReader:
    """Takes what a process logs as it comes, so that no full pipe ever holds it up."""

    def __init__(self, stream):
        self.text = ""
        self._ended = False
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream):
        with stream:
            for line in stream:
                with self._news:
                    self.text += line.decode()
                    self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def wait_for(self, words):
        with self._news:
            self._news.wait_for(lambda: words in self.text or self._ended, PATIENCE_S)
            assert words in self.text, f"the log never said {words}:\n{self.text}"

    def finish(self):
        self._thread.join(PATIENCE_S)
        return self.text


class Relay:
    """A relay in a folder of its own, with home 1 (appliance 1: a TV) and gateways box-1 .. box-3."""

    def __init__(self, relay_program, ctl_program, configuration=""):
        self.relay_program, self.ctl_program = relay_program, ctl_program
        self.scratch = tempfile.TemporaryDirectory(prefix="tms-relay-")
        self.root = pathlib.Path(self.scratch.name)
        self.folder = self.root / "relay"
        self.process = None
        self.ctl("init", "--name", "127.0.0.1")
        self.configure(configuration)
        self.homes = 0
        for _ in range(3):
            self.ctl("appliance", "add", self.add_home(), "TV", "--class", "0x0602")

    def add_home(self):
        """The next home, with a gateway of its number; that number."""
        self.homes += 1
        self.ctl("home", "add", f"Home {self.homes}")
        self.ctl("gateway", "add", self.homes, f"box-{self.homes}")
        self.ctl("gateway", "enrol", f"box-{self.homes}", "--out", self.box(self.homes), "--relay", "127.0.0.1:8443")
        return self.homes

    def configure(self, more):
        (self.folder / "relay.toml").write_text(
            f'[device]\nlisten = "127.0.0.1"\nport = 0\n[pages]\nlisten = "127.0.0.1"\nport = 0\n'
            f'[emergency]\nlisten = "127.0.0.1"\nport = 0\n{more}')

    def box(self, number_):
        return self.root / f"box-{number_}"

    def ctl(self, *arguments):
        command = [self.ctl_program, "--dir", self.folder, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert done.returncode == 0, f"{command}: {done.returncode} {done.stdout} {done.stderr}"
        return done.stdout

    def start(self, environment=None):
        self.process = subprocess.Popen([self.relay_program, "--dir", self.folder], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
        self.log = LogReader(self.process.stderr)
        self.log.wait_for("evt=started")
        self.port = int(re.search(r"evt=device_port .*port=(\d+)", self.log.text).group(1))
        self.pages = int(re.search(r"evt=pages_port .*port=(\d+)", self.log.text).group(1))
        return self

    def stop(self):
        """In order; answers the exit code."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE_S)
        self.log.finish()
        return self.process.returncode

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE_S)
        self.log.finish()

    def close(self):
        if self.process and self.process.poll() is None:
            self.kill()
        self.scratch.cleanup()

    def gateway(self, number_, **kwargs):
        return Gateway(self.port, self.box(number_), **kwargs)

    def page(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.pages}{path}", timeout=PATIENCE_S) as answer:
            return answer.read().decode()

    def metric(self, name):
        found = re.search(rf"^tomoshibi_relay_{re.escape(name)} (\S+)$", self.page("/metrics"), re.MULTILINE)
        assert found, f"no metric {name}"
        return float(found.group(1))
