"""The three that are measured: our relay, the rival (Mosquitto with a sink), the floor. Same certificates, same machine."""
import json
import pathlib
import resource
import shutil
import socket
import subprocess
import time
import urllib.request

import stage

DESCRIPTORS = 60_000
READY_S = 60


def raise_descriptor_limit():
    """Children inherit it. Only root may go beyond the hard limit."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for wanted in (max(DESCRIPTORS, hard), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
            return wanted
        except (ValueError, PermissionError):
            continue
    return hard


def free_ports(count):
    held = [socket.socket() for _ in range(count)]
    for s in held:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def wait_for_port(port, process):
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.005)
    stage.fail(f"nothing listens on port {port}")


def start(command, log, **kwargs):
    with open(log, "ab") as out:
        return subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=kwargs.pop("stdout", out), stderr=out,
                                preexec_fn=stage.die_with_parent, **kwargs)


class Fleet:
    """A relay's folder with `count` homes enrolled. Made once, kept in the cache folder, copied for each server that uses it."""
    KEPT_S = 20 * 86_400

    def __init__(self, cache, count, say):
        self.count = count
        self.folder = cache / f"fleet-{count}"
        self.relay, self.secrets = self.folder / "relay", self.folder / "fleet.pem"
        done = self.folder / "complete"
        if not done.exists() or time.time() - done.stat().st_mtime > self.KEPT_S:
            say(f"enrolling {count} homes, each with its own key (kept for later runs)")
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            stage.run([stage.binary("tomoshibi-ctl"), "--dir", str(self.relay), "init", "--name", "127.0.0.1"])
            stage.run([stage.binary("tomoshibi-load"), "enrol", str(self.relay), "--count", str(count), "--fleet",
                       str(self.secrets), "--year"])
            done.touch()


class Server:
    """start() -> processes; stop(); restart() kills and starts again. `processes` are those whose processor time counts."""
    name = ""
    protocol, tls = "tomoshibi", "tomoshibi"

    def __init__(self, fleet, folder):
        self.fleet, self.folder = fleet, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.port, self.other_port = free_ports(2)
        self.processes = []

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        for p in reversed(self.processes):
            if p.poll() is None:
                p.terminate()
        for p in self.processes:
            try:
                p.wait(20)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        self.processes = []

    def front(self):
        """The process that holds the connections."""
        return self.processes[0]


class Relay(Server):
    name = "ours"

    def start(self):
        self.relay = self.folder / "relay"
        if not self.relay.exists():
            shutil.copytree(self.fleet.relay, self.relay)
            (self.relay / "relay.toml").write_text(
                f'[device]\nlisten = "127.0.0.1"\nport = {self.port}\n\n'
                f'[pages]\nlisten = "127.0.0.1"\nport = {self.other_port}\n\n'
                '[emergency]\nenabled = false\n')
        self.processes = [start([stage.binary("tomoshibi-relay"), "--dir", self.relay], self.folder / "relay.log")]
        wait_for_port(self.port, self.processes[0])

    def health(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.other_port}/healthz", timeout=20) as page:
            return json.load(page)

    def metric(self, name):
        """The sum over the labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.other_port}/metrics", timeout=20) as page:
            lines = page.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines
                   if line.startswith((f"tomoshibi_relay_{name} ", f"tomoshibi_relay_{name}{{")))


class Floor(Server):
    name = "floor"

    def __init__(self, fleet, folder, records):
        super().__init__(fleet, folder)
        self.records = records

    def start(self):
        r = self.fleet.relay
        self.processes = [start([stage.binary("bench-floor"), self.port, self.folder / "floor.db", r / "relay.pem",
                                 r / "relay-key.pem", r / "ca.pem", self.records], self.folder / "floor.log")]
        wait_for_port(self.port, self.processes[0])


class Rival(Server):
    """Mosquitto with a sink that acknowledges after the commit."""
    protocol = "mqtt"

    def __init__(self, fleet, folder, version):
        super().__init__(fleet, folder)
        self.version = version
        self.tls = "openssl" + version.replace(".", "")
        self.name = f"mosquitto {version}"

    def start(self):
        r = self.fleet.relay
        keys = self.folder / "keys"
        keys.mkdir(exist_ok=True)
        for name in ("relay.pem", "relay-key.pem", "ca.pem"):
            shutil.copy(r / name, keys / name)
        config = self.folder / "mosquitto.conf"
        config.write_text(
            f"user root\npersistence false\nlog_type error\nlog_type warning\nlog_dest stderr\nset_tcp_nodelay true\n"
            f"max_inflight_messages 0\nmax_queued_messages 0\nper_listener_settings true\n"
            f"listener {self.other_port} 127.0.0.1\nallow_anonymous true\n"
            f"listener {self.port} 127.0.0.1\ncafile {keys}/ca.pem\ncertfile {keys}/relay.pem\nkeyfile {keys}/relay-key.pem\n"
            f"require_certificate true\nuse_identity_as_username true\ntls_version tlsv{self.version}\nallow_anonymous true\n")
        broker = start([shutil.which("mosquitto") or "/usr/sbin/mosquitto", "-c", config], self.folder / "mosquitto.log")
        self.processes = [broker]
        wait_for_port(self.other_port, broker)
        sink = start([stage.binary("bench-sink"), self.other_port, self.folder / "sink.db"], self.folder / "sink.log",
                     stdout=subprocess.PIPE)
        self.processes.append(sink)
        if sink.stdout.readline().strip() != b"ready":
            stage.fail(f"the sink did not start: {stage.tail(self.folder / 'sink.log')}")
        wait_for_port(self.port, broker)


def rival_possible():
    """Why the rival cannot be measured; empty: it can."""
    if not (shutil.which("mosquitto") or pathlib.Path("/usr/sbin/mosquitto").exists()):
        return "mosquitto is not installed (tools/setup bench)"
    try:
        stage.binary("bench-sink")
    except stage.Failure as missing:
        return str(missing)
    return ""
