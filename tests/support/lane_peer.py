"""The relay's end of the emergency lane, played by a script: TLS 1.3 with both certificates, frames, and the
lane's messages (wire.py). What arrives waits in a list; what is answered is the test's to say."""
import pathlib
import socket
import ssl
import struct
import subprocess
import threading
import time

from wire import LANE_HELLO, LANE_WELCOME, PING, PONG, PRESS_NEWS, fields, fixed64, frame, number, signed


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
                connection = self.connections
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
                    self._take(stream, connection, fields(held[2:2 + size]))
                    held = held[2 + size:]
        except (OSError, ssl.SSLError):
            pass
        finally:
            plain.close()

    def _take(self, stream, connection, message):
        (kind, content), = message.items()
        body = fields(content)
        with self.changed:
            self.got.append((kind, body, time.monotonic(), connection))
            self.changed.notify_all()
        if kind == LANE_HELLO and self.welcomes:
            stream.sendall(frame(LANE_WELCOME, signed(1, int(time.time() * 1000))))
        if kind == PING and not self.mute:
            stream.sendall(frame(PONG, number(1, body.get(1, 0))))

    def send(self, kind, body=b""):
        self.current.sendall(frame(kind, body))

    def news(self, press, stage):
        self.send(PRESS_NEWS, fixed64(1, press) + number(2, stage))

    def drop(self):
        """Cuts the connection; closing alone would wait for the thread that reads."""
        try:
            self.current.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def wait(self, kind, since=0, seconds=15, where=lambda body: True):
        """The first such message at or after place `since` in `got`: (place, fields, time, connection); fails after a while."""
        end = time.monotonic() + seconds
        with self.changed:
            while True:
                for place in range(since, len(self.got)):
                    if self.got[place][0] == kind and where(self.got[place][1]):
                        return (place, *self.got[place][1:])
                left = end - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"no message {kind} within {seconds} s; came: {[g[0] for g in self.got[since:]]}")
                self.changed.wait(left)

    def count(self, kind):
        with self.changed:
            return sum(1 for g in self.got if g[0] == kind)

    def close(self):
        self.listener.close()
        if self.current:
            self.drop()
