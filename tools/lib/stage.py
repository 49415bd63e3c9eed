"""Namespaces, processes and the conducted home, for the demo and for integration tests. Standard library only.

Everything that is started here dies with its starter: namespaces are removed on every way out, and a child is killed by the kernel
when its parent ends. Only processes started here are ever signalled. What kill -9 leaves behind (a namespace, a mail server in it)
the next start removes: OWNERS says which namespaces are ours and whose they were.
"""
import atexit
import contextlib
import ctypes
import datetime
import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PR_SET_PDEATHSIG = 1
OWNERS = pathlib.Path("/run/tomoshibi-stage")  # NAMESPACE -> "pid start-time" of its starter

libc = ctypes.CDLL(None, use_errno=True)


class Failure(Exception):
    """Something did not do what it has to; the text says what, and quotes the log."""


def fail(text):
    raise Failure(text)


def binary(name):
    """A program of the build under test (TOMOSHIBI_BIN, given by ctest)."""
    path = pathlib.Path(os.environ.get("TOMOSHIBI_BIN", ROOT / "build/dev/bin")) / name
    if not path.exists():
        fail(f"{path} is not built")
    return str(path)


def die_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def one_cpu():
    """Conducted programs run one at a time: on one processor they hand over without waking another one."""
    cpus = sorted(os.sched_getaffinity(0))
    return {cpus[os.getpid() % len(cpus)]}


def start_time(pid):
    """Of a process, in clock ticks since boot; None when there is none. With the pid it names a process for good."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


def remove_leftovers():
    """Namespaces whose starter was killed, and what still runs in them."""
    for mark in OWNERS.glob("tms-*"):
        with contextlib.suppress(OSError, ValueError):
            pid, started = mark.read_text().split()
            if start_time(pid) == started:
                continue
            inside = subprocess.run(["ip", "netns", "pids", mark.name], capture_output=True, text=True, check=False).stdout
            for left in inside.split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(left), signal.SIGKILL)
            subprocess.run(["ip", "netns", "del", mark.name], stderr=subprocess.DEVNULL, check=False)
            mark.unlink()


class Namespace:
    """A network namespace with a multicast loopback, removed on exit."""

    def __init__(self, label):
        self.name = f"tms-{os.getpid()}-{label}"

    def __enter__(self):
        remove_leftovers()
        OWNERS.mkdir(mode=0o755, exist_ok=True)
        (OWNERS / self.name).write_text(f"{os.getpid()} {start_time(os.getpid())}")
        atexit.register(self.remove)
        run(["ip", "netns", "add", self.name])
        self.ip("link", "set", "lo", "up")
        self.ip("link", "set", "lo", "multicast", "on")
        self.ip("route", "add", "224.0.0.0/4", "dev", "lo")
        return self

    def __exit__(self, *_):
        self.remove()

    def ip(self, *arguments):
        run(["ip", "-n", self.name, *arguments])

    def remove(self):
        atexit.unregister(self.remove)
        subprocess.run(["ip", "netns", "del", self.name], stderr=subprocess.DEVNULL, check=False)
        (OWNERS / self.name).unlink(missing_ok=True)

    def exec(self, command):
        return ["ip", "netns", "exec", self.name, *command]


def run(command, **kwargs):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **kwargs)
    if done.returncode != 0:
        fail(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def wait_until(holds, seconds, otherwise):
    """What holds() says as soon as it is something; `otherwise` is told if it never is, a text or what makes one."""
    deadline = time.monotonic() + seconds
    while not (got := holds()):
        if time.monotonic() > deadline:
            fail(otherwise() if callable(otherwise) else otherwise)
        time.sleep(0.01)
    return got


class Process:
    """A program in a namespace, its output in a log file."""

    def __init__(self, namespace, command, log, pinned=None, env=None):
        self.name = log.stem
        self.log = log
        cpus = pinned

        def prepare():
            die_with_parent()
            if cpus:
                os.sched_setaffinity(0, cpus)

        with open(log, "ab") as out:
            self.begins = out.tell()  # earlier lives are in the log before
            self.popen = subprocess.Popen(namespace.exec(command) if namespace else command, stdout=out, stderr=out,
                                          stdin=subprocess.DEVNULL, preexec_fn=prepare, start_new_session=True,
                                          env={**os.environ, **(env or {})})

    def alive(self):
        return self.popen.poll() is None

    def said(self):
        """Its log since it was started."""
        with open(self.log, "rb") as lines:
            lines.seek(self.begins)
            return lines.read().decode(errors="replace")

    def kill9(self):
        self.popen.kill()
        self.popen.wait()

    def stop(self, timeout_s=20):
        if self.alive():
            self.popen.terminate()
            try:
                self.popen.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.kill9()
                fail(f"{self.name} did not end within {timeout_s} s of SIGTERM, log: {tail(self.log)}")
        return self.popen.returncode


def tail(path, lines=15):
    with contextlib.suppress(OSError):
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    return "(no log)"


class ConductedHome:
    """tomoshibi-home as conductor: events come from its output, orders go to its input."""

    def __init__(self, namespace, folder, arguments, pinned=None, show_progress=False):
        self.socket = str(folder / "replay.sock")
        self.log = folder / "home.log"
        self.events = queue.Queue()
        self.pauses = []

        def prepare():
            die_with_parent()
            if pinned:
                os.sched_setaffinity(0, pinned)

        with open(self.log, "ab") as err:
            self.popen = subprocess.Popen(
                namespace.exec([binary("tomoshibi-home"), "--conduct", self.socket, *arguments]),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=None if show_progress else err, text=True,
                preexec_fn=prepare, start_new_session=True)
        threading.Thread(target=self._read, daemon=True).start()
        deadline = time.monotonic() + 20
        while not os.path.exists(self.socket):
            if self.popen.poll() is not None or time.monotonic() > deadline:
                fail(f"tomoshibi-home did not start: {tail(self.log)}")
            time.sleep(0.02)

    def _read(self):
        for line in self.popen.stdout:
            with contextlib.suppress(json.JSONDecodeError):
                self.events.put(json.loads(line))
        self.events.put({"event": "eof"})

    def wait_for(self, wanted, timeout_s, watched=()):
        """The next event of that kind (with its name, if given as kind:name); a watched process must not end."""
        kind, _, name = wanted.partition(":")
        deadline = time.monotonic() + timeout_s
        if kind == "paused" and self.pauses:
            return self.pauses.pop(0)
        while True:
            try:
                event = self.events.get(timeout=0.5)
            except queue.Empty:
                for process in watched:
                    if not process.alive():
                        fail(f"{process.name} ended with {process.popen.returncode}: {tail(process.log)}")
                if time.monotonic() > deadline:
                    logs = "\n".join(f"-- {p.name}\n{tail(p.log)}" for p in watched)
                    fail(f"no '{wanted}' within {timeout_s} s; home: {tail(self.log)}\n{logs}")
                continue
            if event["event"] == "paused" and kind != "paused":
                self.pauses.append(event)  # somebody will wait for it
            if event["event"] == kind and (not name or event.get("name") == name):
                return event
            if event["event"] == "eof":
                fail(f"tomoshibi-home ended while waiting for '{wanted}': {tail(self.log)}")

    def paused_within(self, seconds):
        """Whether a pause point comes in that time; its event stays to be waited for."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.pauses or any(e["event"] == "paused" for e in list(self.events.queue)):
                return True
            time.sleep(0.01)
        return False

    def virtual_now_ms(self):
        """Where virtual time stands, by the conductor's word ('where' order)."""
        self.order("where")
        at = self.wait_for("where", 20)["at"]
        return round(datetime.datetime.fromisoformat(at.rstrip("Z")).replace(tzinfo=datetime.timezone.utc).timestamp() * 1000)

    def order(self, text):
        self.popen.stdin.write(text + "\n")
        self.popen.stdin.flush()

    def stop(self):
        if self.popen.poll() is None:
            self.popen.terminate()
            self.popen.wait(20)


@contextlib.contextmanager
def work_folder(label):
    """A temporary folder; kept, and named, when the test fails. In memory where there is such a place: the daemons write
    each slot through to the disk, which kill -9 does not need and a busy disk makes slow."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) and "TMPDIR" not in os.environ else None
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"tms-{label}-", dir=memory))
    try:
        yield folder
    except BaseException:
        print(f"kept for a look: {folder}")
        raise
    else:
        shutil.rmtree(folder, ignore_errors=True)
