"""The service manager's end of sd_notify(3), and a way to hold up one thread of a running program. Standard library only."""

import ctypes
import os
import pathlib
import socket

PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT, WALL = 17, 0x4206, 0x4207, 0x40000000

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


class Manager:
    """A socket that a daemon tells how it is. `environment` is what the daemon is to be started with."""

    def __init__(self, folder, watchdog_ms=None):
        self.path = pathlib.Path(folder) / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.environment = {**os.environ, "NOTIFY_SOCKET": str(self.path)}
        if watchdog_ms:
            self.environment["WATCHDOG_USEC"] = str(watchdog_ms * 1000)

    def close(self):
        self.socket.close()

    def next(self, timeout_s):
        """The next message as a dictionary, or None when there is none in that time."""
        self.socket.settimeout(timeout_s)
        try:
            text = self.socket.recv(4096).decode()
        except TimeoutError:
            return None
        return dict(line.split("=", 1) for line in text.splitlines())

    def wait_for(self, key, timeout_s=30):
        """The next message with this key; answers it."""
        while (message := self.next(timeout_s)) is not None:
            if key in message:
                return message
        raise AssertionError(f"the daemon never said {key}")

    def drain(self):
        while self.next(0.001) is not None:
            pass


class HeldThread:
    """One thread of a process stands still while the others go on, inside a `with`."""

    def __init__(self, thread_id):
        self.thread_id = thread_id

    def __enter__(self):
        self._ask(PTRACE_SEIZE)
        self._ask(PTRACE_INTERRUPT)
        os.waitpid(self.thread_id, WALL)
        return self

    def __exit__(self, *_):
        try:
            self._ask(PTRACE_DETACH)
        except ProcessLookupError:  # it was killed meanwhile; its starter learns of that only after us
            os.waitpid(self.thread_id, WALL)

    def _ask(self, request):
        if libc.ptrace(request, self.thread_id, None, None) != 0:
            error = ctypes.get_errno()
            raise OSError(error, f"ptrace: {os.strerror(error)}")


def thread_named(pid, name):
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            return int(task.name)
    raise AssertionError(f"process {pid} has no thread {name}")
