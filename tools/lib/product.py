"""The whole product on one machine, set up as an operator would: relay, one home, its gateway. For the demo and for tests."""
import json
import pathlib
import re
import shutil
import subprocess

from stage import Process, binary, fail, run

DEVICE_PORT = 8443
PAGES_PORT = 9464


def node_identity(number):
    """Property 0x83 of a simulated node: FE, the maker FFFFFF, then the number in the last 8 of 13 bytes."""
    return "feffffff" + "00" * 5 + f"{number:016x}"


class Appliance:
    """One watched appliance: where it is in the mapping, and the record's channel and rule it must agree with."""

    def __init__(self, channel, label, eoj, node_number, rule, days=None, on="sensor"):
        self.channel, self.label, self.eoj, self.node_number = channel, label, eoj, node_number
        self.rule, self.days, self.on = rule, days, on  # rule: hold in seconds, or "on_off"


class Product:
    def __init__(self, namespace, folder, socket, pinned=None, wrap=()):
        self.namespace, self.folder, self.socket, self.pinned = namespace, pathlib.Path(folder), socket, pinned
        self.wrap = list(wrap)  # what runs the daemons, such as valgrind
        self.relay_folder = self.folder / "relay"
        self.box = self.folder / "box"
        self.home = None
        self.relay = self.gateway = None

    # ---- what an operator does

    def ctl(self, *arguments, now=None):
        command = [binary("tomoshibi-ctl"), "--dir", str(self.relay_folder)]
        if now:
            command += ["--now", now]
        return run((self.namespace.exec if self.namespace else list)([*command, *map(str, arguments)]))

    def ctl_refused(self, *arguments):
        """Asked wrongly on purpose: what came of it, whatever it was."""
        command = [binary("tomoshibi-ctl"), "--dir", str(self.relay_folder), *map(str, arguments)]
        return subprocess.run(self.namespace.exec(command) if self.namespace else command, capture_output=True, text=True, check=False)

    def ctl_json(self, *arguments):
        """One object a line."""
        return [json.loads(line) for line in self.ctl(*arguments).splitlines() if line.strip()]

    def set_up(self, name, appliances, contacts, now, poll_s=60, gap_s=180, zone="+00:00", mail=None, interface="lo",
               bind="127.0.0.1", emergency=False):
        """`now`: the moment of the replay at which all this is registered (None: the present). Certificates are made for the
        machine's time. `emergency`: with buttons and the lane, whose pings cost a long replay time."""
        self.appliances = appliances
        self.ctl("init", "--name", "127.0.0.1")
        mail_table = "" if mail is None else "\n[mail]\n" + "".join(
            f'{key} = {json.dumps(value)}\n' for key, value in mail.items())
        (self.relay_folder / "relay.toml").write_text(
            f'[device]\nlisten = "127.0.0.1"\nport = {DEVICE_PORT}\n\n[pages]\nlisten = "127.0.0.1"\nport = {PAGES_PORT}\n'
            '\n[emergency]\nlisten = "127.0.0.1"\n'
            + mail_table)
        added = self.ctl("home", "add", name, f"--zone={zone}", "--poll", poll_s, "--gap", gap_s, now=now)
        self.home = re.search(r"\d+", added).group()
        self.ctl("gateway", "add", self.home, "box-1", now=now)
        self.ctl("gateway", "enrol", "box-1", "--out", self.box, "--relay", f"127.0.0.1:{DEVICE_PORT}")
        for a in appliances:
            rule = ["--days", a.days] if a.days else ["--no-rule"]
            node = node_identity(a.node_number) if a.node_number else "any"
            self.ctl("appliance", "add", self.home, a.label, "--class", "0x" + a.eoj, "--on", a.on, "--node", node, *rule,
                     now=now)
        for c in contacts:
            self.ctl("contact", "add", *([] if c.get("provider") else [self.home]), *(["--provider"] if c.get("provider") else []),
                     "--name", c["name"], "--mail", c["mail"], "--lang", c["lang"], now=now)
        if contacts:
            self.ctl("watch", "on", self.home, now=now)
        with open(self.box / "gateway.toml", "a", encoding="utf-8") as config:
            config.write(f'\n[gateway]\nstate_folder = "{self.box}/state"\n\n'
                         f'[echonet]\ninterface = "{interface}"\nbind_address = "{bind}"\n')
            if not emergency:
                config.write('\n[emergency]\nenabled = false\n')

    # ---- programs

    def start_relay(self):
        self.relay = self._start("tomoshibi-relay", ["--dir", self.relay_folder], "relay.log")
        return self.relay

    def start_gateway(self):
        self.gateway = self._start("tomoshibi-gateway", ["--config", self.box / "gateway.toml"], "gateway.log")
        return self.gateway

    def _start(self, program, arguments, log):
        clock = ["--replay-clock", self.socket] if self.socket else []
        return Process(self.namespace, [*self.wrap, binary(program), *map(str, arguments), *clock], self.folder / log, self.pinned)

    def processes(self):
        return [p for p in (self.relay, self.gateway) if p]

    def stop(self):
        """Gateway first, so that the relay takes what it still has to say."""
        for process in (self.gateway, self.relay):
            if process and process.alive():
                code = process.stop()
                if code != 0:
                    fail(f"{process.name} ended with {code} on SIGTERM")


class MailServer:
    """tools/mail-server in a namespace."""

    def __init__(self, root, namespace, folder):
        self.tool, self.namespace, self.folder = str(root / "tools/mail-server"), namespace, pathlib.Path(folder)

    def __enter__(self):
        run(self.namespace.exec([self.tool, "start", str(self.folder)]))
        values = dict(line.split("=", 1) for line in (self.folder / "server.env").read_text().split())
        self.settings = {"server": "localhost", "port": int(values["PORT"]), "security": "starttls",
                         "user": values["USER_NAME"], "password_file": str(self.folder / "password"),
                         "ca_file": str(self.folder / "ca.pem"), "from": "notice@tomoshibi.example"}
        return self

    def __exit__(self, *_):
        run(self.namespace.exec([self.tool, "stop", str(self.folder)]))

    def mails(self):
        return json.loads(run([self.tool, "list", str(self.folder), "--json"]))


def remove_folder(path):
    shutil.rmtree(path, ignore_errors=True)
