"""A guard centre on one machine, for the demo and for tests: tomoshibi-guard in TLS, with certificates of its own that it gave to
its callers, and what relay and gateway have to be told of it."""
import copy
import json
import pathlib
import re
import subprocess

import stage
from stage import binary, fail

PORT = 12000
LANE_PORT = 8444
# What a person sent or asked for, in the words of the operator's list.
CALLS = ("personal emergency", "medical", "manual test")


class GuardCentre:
    """One account. Orders go to its standard input; the journal is what its operator sees."""

    def __init__(self, namespace, folder, account, key, name="Home"):
        self.namespace, self.folder, self.account = namespace, pathlib.Path(folder), account
        self.journal, self.log = self.folder / "guard.jsonl", self.folder / "guard.log"
        self.folder.mkdir(parents=True)
        self._ctl("init", "--name", "127.0.0.1")
        self.key_file = self.folder / "account.key"
        for path, text in ((self.key_file, key + "\n"), (self.folder / "accounts", f"{account} {key} {name}\n")):
            path.touch(mode=0o600)
            path.write_text(text)
        self.port, self.popen = PORT, None

    def beside(self, port):
        """A second receiver of the same centre: account and certificates as here, a list of its own."""
        other = copy.copy(self)
        other.journal, other.log = self.folder / f"guard-{port}.jsonl", self.folder / f"guard-{port}.log"
        other.port, other.popen = port, None
        return other

    def _ctl(self, *arguments):
        return stage.run([binary("tomoshibi-ctl"), "--dir", str(self.folder / "pki"), *arguments])

    def caller(self, name):
        """The certificate for somebody who may call: its folder."""
        out = self.folder / "callers" / name
        out.parent.mkdir(exist_ok=True)
        home = re.search(r"\d+", self._ctl("home", "add", name, "--zone=+00:00")).group()
        self._ctl("gateway", "add", home, name)
        self._ctl("gateway", "enrol", name, "--out", str(out), "--relay", "127.0.0.1:8443")
        return out

    def table(self, caller, null_interval_s=1):
        """[guard] of relay.toml or gateway.toml, as far as both are the same."""
        folder = self.caller(caller)
        return (f'\n[guard]\nreceivers = ["tls://127.0.0.1:{self.port}"]\nca = "{folder}/ca.pem"\ncertificate = "{folder}/gateway.pem"\n'
                f'key = "{folder}/gateway.key"\nnull_interval_s = {null_interval_s}\n')

    def join(self, product, emergency=None):
        """Relay and gateway of a product that is set up, but does not run, call this centre from their next start on.
        `emergency`: keys of [emergency] in gateway.toml."""
        with open(product.relay_folder / "relay.toml", "a", encoding="utf-8") as config:
            config.write(self.table("relay") + f'line_account = "{self.account}"\n')
        path = product.box / "gateway.toml"
        table, _, rest = path.read_text().partition("[emergency]\n")
        rest = re.sub(r"^(port|enabled) = .*\n", "", rest, flags=re.M)
        keys = {"port": LANE_PORT, "panel_file": f"{product.box}/panel", **(emergency or {})}
        path.write_text(table + "[emergency]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in keys.items()) + rest
                        + self.table("box") + f'account = "{self.account}"\naccount_key = "{self.key_file}"\nline = "2"\n')
        product.ctl("guard", "set", product.home, "--account", self.account, "--key-file", self.key_file)

    def start(self, wrap=()):
        """`wrap`: what runs it, such as env."""
        pki = self.folder / "pki"
        command = [*wrap, binary("tomoshibi-guard"), "--accounts", str(self.folder / "accounts"), "--json", str(self.journal),
                   "--tls-listen", f"127.0.0.1:{self.port}", "--certificate", str(pki / "relay.pem"), "--key", str(pki / "relay-key.pem"),
                   "--ca", str(pki / "ca.pem")]
        began = len(self.entries_of("listening"))
        with open(self.log, "ab") as out:
            self.popen = subprocess.Popen(self.namespace.exec(command), stdin=subprocess.PIPE, stdout=out, stderr=out, text=True,
                                          preexec_fn=stage.die_with_parent, start_new_session=True)
        stage.wait_until(lambda: len(self.entries_of("listening")) > began, 10,
                         lambda: f"the guard centre does not listen: {stage.tail(self.log)}")

    def alive(self):
        return self.popen is not None and self.popen.poll() is None

    def order(self, text):
        self.popen.stdin.write(text + "\n")
        self.popen.stdin.flush()

    def kill9(self):
        self.popen.kill()
        self.popen.wait()

    def stop(self):
        """Nothing of it needs an order: what it has acknowledged is in its journal."""
        if self.alive():
            self.kill9()

    def entries_of(self, kind):
        if not self.journal.exists():
            return []
        out = []
        for line in self.journal.read_text().splitlines():
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:
                continue  # being written
            if entry["kind"] == kind:
                out.append(entry)
        return out

    def booked(self):
        """Presses and drills in the operator's list, one for each line of it."""
        return [e for e in self.entries_of("booked") if e["event"] in CALLS]


def lines_stand(product):
    """Relay and gateway, as they run now, are connected to each other and to the centre: by their logs."""
    relay, gateway = product.relay.said(), product.gateway.said()

    def last(text, module, words):
        return (re.findall(rf"mod={module} evt=({words})\b", text) or [""])[-1]

    def reaches_centre(text):
        """`up` is told once, also if the line is dialled again afterwards."""
        return "mod=guard evt=up" in text and last(text, "guard", "dial|connected|closed|up|down") in ("connected", "up")
    lane = "mod=lane evt=up" in relay and last(gateway, "lane", r"\w+") == "up"
    return lane and reaches_centre(relay) and reaches_centre(gateway)
