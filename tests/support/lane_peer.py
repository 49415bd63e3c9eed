"""The relay's end of the emergency lane, played by a script: TLS 1.3 with both certificates, frames, and as much of Protocol
Buffers as the lane's messages need. What arrives waits in a list; what is answered is the test's to say."""
import pathlib
import socket
import ssl
import struct
import subprocess
import threading
import time

PING, PONG, BYE, PRESS, PRESS_NEWS = 7, 8, 9, 16, 17
LANE_HELLO, LANE_WELCOME, PRESS_REPORT, BOX_STATE, DRILL_REQUEST = 23, 24, 25, 26, 27
RECEIVED, ACCEPTED, CLOSED = 2, 3, 4
BUTTON, FIRST_AID, BOX, DRILL = 1, 2, 3, 4


def make_certificates(folder, gateway="box-1"):
    """A CA, a server for 127.0.0.1 and a gateway, in `folder`: ca, relay and box, each .pem and .key."""
    folder = pathlib.Path(folder)

    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", folder / "ca.key", "-out", folder / "ca.pem", "-subj", "/CN=test ca", "-days", "30",
            "-addext", "keyUsage=critical,keyCertSign")
    for name, subject, extension in (("relay", "127.0.0.1", "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth"),
                                     ("box", gateway, "extendedKeyUsage=clientAuth")):
        (folder / f"{name}.ext").write_text(extension + "\n")
        openssl("req", *key, "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.csr", "-subj", f"/CN={subject}")
        openssl("x509", "-req", "-in", folder / f"{name}.csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
                "-CAcreateserial", "-days", "30", "-out", folder / f"{name}.pem", "-extfile", folder / f"{name}.ext")
        (folder / f"{name}.key").chmod(0o600)


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def field(number, value, kind="varint"):
    if kind == "fixed64":
        return varint(number << 3 | 1) + struct.pack("<Q", value)
    if kind == "bytes":
        return varint(number << 3 | 2) + varint(len(value)) + value
    return varint(number << 3) + varint(value)


def fields(data):
    """{number: value of its last appearance}; a repeated message is its list."""
    out, at = {}, 0

    def take():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = take()
        number, kind = key >> 3, key & 7
        if kind == 0:
            out[number] = take()
        elif kind == 1:
            out[number] = struct.unpack("<Q", data[at:at + 8])[0]
            at += 8
        elif kind == 2:
            size = take()
            out.setdefault(number, []).append(data[at:at + size])
            at += size
        else:
            raise ValueError(f"field of kind {kind}")
    return out


def frame(number, body=b""):
    payload = field(number, body, "bytes")
    return struct.pack(">H", len(payload)) + payload


class LanePeer:
    """Listens on 127.0.0.1; takes one gateway after the other. Answers hello with a welcome unless told not to."""

    def __init__(self, folder, port=0):
        folder = pathlib.Path(folder)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3
        self.context.load_cert_chain(folder / "relay.pem", folder / "relay.key")
        self.context.load_verify_locations(folder / "ca.pem")
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.changed = threading.Condition()
        self.got = []             # (number, fields, time it came, connection's number)
        self.connections = 0
        self.current = None
        self.welcomes = True
        self.mute = False         # takes what comes and answers nothing, not even pings
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain):
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream = self.context.wrap_socket(plain, server_side=True)
            with self.changed:
                self.connections += 1
                number = self.connections
                self.current = stream
                self.changed.notify_all()
            held = b""
            while True:
                part = stream.recv(4096)
                if not part:
                    break
                held += part
                while len(held) >= 2 and len(held) >= 2 + struct.unpack(">H", held[:2])[0]:
                    size = struct.unpack(">H", held[:2])[0]
                    self._take(stream, number, fields(held[2:2 + size]))
                    held = held[2 + size:]
        except (OSError, ssl.SSLError):
            pass
        finally:
            plain.close()

    def _take(self, stream, connection, message):
        number = next(iter(message))
        body = fields(message[number][-1])
        with self.changed:
            self.got.append((number, body, time.monotonic(), connection))
            self.changed.notify_all()
        if number == LANE_HELLO and self.welcomes:
            stream.sendall(frame(LANE_WELCOME, field(1, int(time.time() * 1000) << 1)))
        if number == PING and not self.mute:
            stream.sendall(frame(PONG, field(1, body.get(1, 0))))

    def send(self, number, body=b""):
        self.current.sendall(frame(number, body))

    def news(self, press, stage):
        self.send(PRESS_NEWS, field(1, press, "fixed64") + field(2, stage))

    def drop(self):
        """Cuts the connection; closing alone would wait for the thread that reads."""
        try:
            self.current.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def wait(self, number, since=0, seconds=15, where=lambda body: True):
        """The first such message at or after place `since` in `got`: (place, fields, time, connection); fails after a while."""
        end = time.monotonic() + seconds
        with self.changed:
            while True:
                for place in range(since, len(self.got)):
                    if self.got[place][0] == number and where(self.got[place][1]):
                        return (place, *self.got[place][1:])
                left = end - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"no message {number} within {seconds} s; came: {[g[0] for g in self.got[since:]]}")
                self.changed.wait(left)

    def count(self, number):
        with self.changed:
            return sum(1 for g in self.got if g[0] == number)

    def close(self):
        self.listener.close()
        if self.current:
            self.drop()
