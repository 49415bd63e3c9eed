"""A scripted SMTP server for tests: says what it is told to say at each step, drops the line where it is told to.

    with FaultServer(rcpt="550 5.1.1 <taro@example.org> unknown") as server: ... server.port, server.mails, server.sessions

Replies are given by step: greeting, ehlo, starttls, auth, mail, rcpt, data, text (after the final dot). A reply is one
string; DROP hangs up without an answer, HANG never answers until the server is closed. features: EHLO lines. tls: an
ssl.SSLContext for STARTTLS. close_after_mail hangs up after each accepted mail, as some servers do.
"""

import socket
import threading

DROP = "drop"
HANG = "hang"
DEFAULTS = {
    "greeting": "220 localhost ready",
    "ehlo": "250",
    "starttls": "220 go",
    "auth": "235 welcome",
    "mail": "250 sender ok",
    "rcpt": "250 recipient ok",
    "data": "354 go on",
    "text": "250 kept",
}


class Hangup(Exception):
    pass


class FaultServer:
    def __init__(self, features=(), tls=None, close_after_mail=False, **replies):
        unknown = set(replies) - set(DEFAULTS)
        if unknown:
            raise ValueError(f"unknown steps: {unknown}")
        self.replies = {**DEFAULTS, **replies}
        self.features = list(features)
        self.tls = tls
        self.close_after_mail = close_after_mail
        self.mails = []
        self.commands = []
        self.sessions = 0
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self):
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.sessions += 1
            with connection:
                try:
                    self._session(connection)
                except (Hangup, OSError):
                    pass

    def _say(self, connection, step):
        reply = self.replies[step]
        if reply == DROP:
            raise Hangup
        if reply == HANG:
            self._closing.wait()
            raise Hangup
        if step == "ehlo" and reply == "250":
            lines = ["localhost", *self.features]
            reply = "\r\n".join(f"250{'-' if i + 1 < len(lines) else ' '}{line}" for i, line in enumerate(lines))
        connection.sendall(reply.encode() + b"\r\n")

    def _session(self, connection):
        self._say(connection, "greeting")
        stream = connection.makefile("rb")
        while line := stream.readline():
            command = line.decode("utf-8", "replace").strip()
            verb = command.split(" ")[0].upper()
            self.commands.append(verb)
            if verb == "QUIT":
                connection.sendall(b"221 bye\r\n")
                return
            step = {"EHLO": "ehlo", "HELO": "ehlo", "STARTTLS": "starttls", "AUTH": "auth", "MAIL": "mail", "RCPT": "rcpt",
                    "DATA": "data"}.get(verb)
            if step is None:
                connection.sendall(b"250 ok\r\n")
                continue
            self._say(connection, step)
            if verb == "STARTTLS" and self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
                stream = connection.makefile("rb")
            if verb == "DATA" and self.replies["data"].startswith("354"):
                self._take_text(stream)
                self._say(connection, "text")
                if self.close_after_mail:
                    return

    def _take_text(self, stream):
        lines = []
        while (line := stream.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        self.mails.append(b"".join(lines))
