#!/usr/bin/env python3
"""Goal: the packages do on a machine what docs/OPERATIONS.md says: installed, configured, started by systemd, watched by its
watchdog, reloaded, upgraded, stopped, removed and purged, leaving what is promised. systemd itself runs them, in a container.
"""
import hashlib
import json
import os
import re
import subprocess
import sys
import time

import booted
import harness

sys.path.insert(0, str(harness.ROOT / "tests/support"))
from notify_fixture import HeldThread  # noqa: E402

BUILD = os.environ.get("TOMOSHIBI_BIN", str(harness.ROOT / "build/dev/bin")).removesuffix("/bin")
EXPOSURE_MAX = {"tomoshibi-relay": 1.7, "tomoshibi-gateway": 1.7}  # of 10; systemd-analyze security
UNITS = {"tomoshibi-relay": "relay/systemd", "tomoshibi-gateway": "firmware/systemd"}


def check(what, true, more=""):
    if not true:
        harness.fail(f"{what}: {more}")
    print(f"ok  {what}", flush=True)


def make_packages(folder):
    """Twice, to other places: the same bytes; the second time lintian looks them over."""
    began = time.monotonic()
    made = {}
    for out, more in (("one", []), ("two", ["--lint"])):
        lines = harness.run([str(harness.ROOT / "tools/package"), "--build-dir", BUILD, "--out", str(folder / out), *more],
                            env={**os.environ, "SOURCE_DATE_EPOCH": "1767225600"})
        made[out] = [line for line in lines.splitlines() if line.endswith(".deb")]
    sums = [[hashlib.sha256(open(p, "rb").read()).hexdigest() for p in made[out]] for out in ("one", "two")]
    check(f"two packages, made twice, the same bytes ({time.monotonic() - began:.0f} s)", len(sums[0]) == 2 and sums[0] == sums[1])
    return {re.match(r"[a-z-]+", os.path.basename(p)).group(): p for p in made["one"]}


def look_at_packages(packages):
    for name, path in packages.items():
        listed = subprocess.run(["dpkg-deb", "--contents", path], capture_output=True, text=True, check=True).stdout
        for line in listed.splitlines():
            owner_and_group = line.split()[1].split("/")
            readable = line.startswith(("drwxr-xr-x", "-rwxr-xr-x", "-rw-r--r--"))
            if owner_and_group != ["root", "root"] or not readable:
                harness.fail(f"{name}: {line}")
        wanted = [f"./usr/bin/{name}", f"./lib/systemd/system/{name}.service", f"./usr/share/man/man8/{name}.8.gz",
                  f"./usr/share/doc/{name}/copyright", f"./usr/lib/sysusers.d/{name}.conf"]
        check(f"{name}: everything is in it, all may read it and root alone may write it", all(w in listed for w in wanted), listed)
        depends = subprocess.run(["dpkg-deb", "--field", path, "Depends"], capture_output=True, text=True, check=True).stdout
        check(f"{name}: the libraries it needs are named", "libc6" in depends, depends)


def look_at_units(machine):
    for name in UNITS:
        said = machine.run("systemd-analyze", "verify", f"/lib/systemd/system/{name}.service", check=False)
        check(f"{name}: systemd-analyze verify has nothing to say", said.returncode == 0 and name not in said.stderr, said.stderr)
        said = machine.run("systemd-analyze", "security", "--offline=true", f"/lib/systemd/system/{name}.service", check=False)
        score = float(re.search(r"exposure level for \S+: ([0-9.]+)", said.stdout).group(1))
        check(f"{name}: exposure {score}, at most {EXPOSURE_MAX[name]}", score <= EXPOSURE_MAX[name])


def install(machine, packages):
    for name, path in packages.items():
        machine.put(f"/srv/{name}.deb", open(path, "rb").read())
        machine.run("dpkg", "--install", f"/srv/{name}.deb")
        check(f"{name}: installed, enabled, not configured: skipped, not failed",
              machine.property(name, "ActiveState") == "inactive" and machine.property(name, "UnitFileState") == "enabled"
              and machine.property(name, "ConditionResult") == "no" and machine.property(name, "Result") == "success")


def configure(machine):
    machine.run("tomoshibi-ctl", "init", "--name", "127.0.0.1")
    check("init refers to the packaged configuration",
          machine.run("readlink", "/var/lib/tomoshibi/relay.toml").stdout.strip() == "/etc/tomoshibi/relay.toml")
    owners = set(machine.run("find", "/var/lib/tomoshibi", "-printf", "%u\\n").stdout.split())
    check("what root's init made belongs to the relay's user", owners == {"tomoshibi"}, owners)
    machine.run("systemctl", "start", "tomoshibi-relay")
    check("systemctl start returns when the relay is ready", machine.property("tomoshibi-relay", "ActiveState") == "active")
    check("it runs as its own user",
          machine.run("ps", "-o", "user=", "-p", machine.property("tomoshibi-relay", "MainPID")).stdout.strip() == "tomoshibi")
    machine.run("tomoshibi-ctl", "home", "add", "A home")
    machine.run("tomoshibi-ctl", "appliance", "add", "1", "TV", "--class", "tv")
    machine.run("tomoshibi-ctl", "gateway", "add", "1", "box-1")
    machine.run("tomoshibi-ctl", "gateway", "enrol", "box-1", "--out", "/srv/box-1", "--relay", "127.0.0.1:8443")
    machine.run("sh", "-c", "install -g tomoshibi-gateway -m 640 /srv/box-1/* /etc/tomoshibi")
    machine.run("sh", "-c", "printf '\\n[echonet]\\ninterface = \"lo\"\\nbind_address = \"127.0.0.1\"\\n' >> /etc/tomoshibi/gateway.toml")
    machine.run("systemctl", "start", "tomoshibi-gateway")
    machine.until("the gateway's line is up", lambda: health(machine)["gateways"]["up"] == 1)
    check("gateway and relay, hardened as they are, talk to each other", True)
    check("descriptors for 25,000 gateways, as far as this machine gives them",
          hard_limit(machine, machine.property("tomoshibi-relay", "MainPID")) == min(65536, hard_limit(machine, 1)))


def hard_limit(machine, pid):
    line = machine.run("grep", "open files", f"/proc/{pid}/limits").stdout
    return int(line.split()[4])


def health(machine):
    said = machine.run("python3", "-c", "import urllib.request as u; print(u.urlopen('http://127.0.0.1:9464/healthz').read().decode())",
                       check=False)
    return json.loads(said.stdout) if said.returncode == 0 else {"gateways": {"up": 0}}


def reload(machine):
    for name in UNITS:
        before = machine.property(name, "MainPID")
        machine.run("systemctl", "reload", name)
        check(f"{name}: reloaded, the same process", machine.property(name, "MainPID") == before
              and machine.property(name, "ActiveState") == "active")
    machine.run("sh", "-c", "printf '[mail]\\nport = 99999\\n' > /etc/tomoshibi/relay.toml")
    refused = machine.run("systemctl", "reload", "tomoshibi-relay", check=False)
    check("a bad configuration: systemctl reload fails, the relay goes on",
          refused.returncode != 0 and health(machine)["gateways"]["up"] == 1)
    told = machine.run("journalctl", "--no-pager", "-u", "tomoshibi-relay").stdout
    check("the journal says where and what is allowed", "relay.toml:2: mail.port: must be an integer" in told, told)
    machine.run("sh", "-c", "printf '[log]\\nlevel = \"info\"\\n' > /etc/tomoshibi/relay.toml")
    machine.run("systemctl", "reload", "tomoshibi-relay")


def restore(machine):
    machine.run("tomoshibi-ctl", "backup", "/srv/copy.db")
    machine.run("systemctl", "stop", "tomoshibi-relay")
    machine.run("tomoshibi-ctl", "restore", "/srv/copy.db")
    machine.run("systemctl", "start", "tomoshibi-relay")
    machine.until("the gateway is back", lambda: health(machine)["gateways"]["up"] == 1)
    check("what root has restored the relay's user can open", machine.property("tomoshibi-relay", "NRestarts") == "0")


def watchdog(machine):
    """The unit's interval, shortened by a drop-in as an administrator would."""
    machine.run("mkdir", "-p", "/etc/systemd/system/tomoshibi-relay.service.d")
    machine.put("/etc/systemd/system/tomoshibi-relay.service.d/test.conf", b"[Service]\nWatchdogSec=1s\nRestartSec=100ms\n")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "tomoshibi-relay")
    before = machine.property("tomoshibi-relay", "MainPID")
    outside = host_pid(machine, before)
    with HeldThread(outside):
        machine.until("systemd notices a relay whose loop hangs",
                      lambda: "Watchdog timeout" in machine.run("journalctl", "--no-pager", "-u", "tomoshibi-relay").stdout)
    machine.until("and starts another", lambda: machine.property("tomoshibi-relay", "ActiveState") == "active"
                  and machine.property("tomoshibi-relay", "MainPID") not in ("0", before))
    check("the watchdog: a relay that hangs is killed and started again", int(machine.property("tomoshibi-relay", "NRestarts")) >= 1)
    machine.run("rm", "-r", "/etc/systemd/system/tomoshibi-relay.service.d")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "tomoshibi-relay")
    machine.until("the gateway is back", lambda: health(machine)["gateways"]["up"] == 1)


def host_pid(machine, inner):
    """The number, out here, of a process in there."""
    for entry in os.listdir("/proc"):
        try:
            status = open(f"/proc/{entry}/status").read()
        except OSError:
            continue
        if re.search(rf"^NSpid:\t{entry}\t{inner}$", status, re.MULTILINE) and "tomoshibi-relay" in status:
            return int(entry)
    harness.fail(f"no process {inner} in the container")


def upgrade_stop_and_kill(machine, packages):
    before = machine.property("tomoshibi-relay", "MainPID")
    for _ in range(2):  # the scripts are safe to run again
        machine.run("dpkg", "--install", "/srv/tomoshibi-relay.deb")
    after = machine.property("tomoshibi-relay", "MainPID")
    check("an upgrade restarts the relay", after not in ("0", before) and machine.property("tomoshibi-relay", "ActiveState") == "active")
    check("the administrator's configuration stays", "level" in machine.run("cat", "/etc/tomoshibi/relay.toml").stdout)
    machine.run("kill", "-9", after)
    machine.until("systemd starts a killed relay again",
                  lambda: machine.property("tomoshibi-relay", "ActiveState") == "active"
                  and machine.property("tomoshibi-relay", "MainPID") not in ("0", after))
    for name in UNITS:
        began = time.monotonic()
        machine.run("systemctl", "stop", name)
        check(f"{name}: stopped in {time.monotonic() - began:.1f} s, in order",
              machine.property(name, "Result") == "success" and machine.property(name, "ExecMainStatus") == "0"
              and time.monotonic() - began < 15)
        machine.run("systemctl", "start", name)


def remove_and_purge(machine):
    before = machine.run("sha256sum", "/var/lib/tomoshibi/ca-key.pem").stdout
    machine.run("dpkg", "--remove", "tomoshibi-relay")
    check("remove: stopped, programs gone, configuration and data kept",
          machine.run("pgrep", "-x", "tomoshibi-relay", check=False).returncode == 1
          and machine.run("test", "-e", "/usr/bin/tomoshibi-relay", check=False).returncode == 1
          and machine.run("cat", "/etc/tomoshibi/relay.toml").returncode == 0)
    machine.run("dpkg", "--install", "/srv/tomoshibi-relay.deb")
    check("installed again: it runs on with what was there", machine.property("tomoshibi-relay", "ActiveState") == "active")
    said = machine.run("dpkg", "--purge", "tomoshibi-relay").stdout
    check("purge says loudly that it kept the families' records and the keys",
          "KEPT: /var/lib/tomoshibi" in said and machine.run("sha256sum", "/var/lib/tomoshibi/ca-key.pem").stdout == before, said)
    said = machine.run("dpkg", "--purge", "tomoshibi-gateway").stdout
    check("purge of the gateway says what it deletes", "DELETED" in said, said)
    left = machine.run("sh", "-c", "find / -xdev \\( -path /proc -o -path /sys -o -path /tmp -o -path /run -o -path /var/log/journal "
                       "-o -path /srv \\) -prune -o -iname '*tomoshibi*' -newer /srv/tomoshibi-relay.deb -print").stdout.split()
    kept = [path for path in left if not path.startswith("/var/lib/tomoshibi/") and path != "/var/lib/tomoshibi"
            and not path.startswith("/var/lib/dpkg/")]
    check("nothing else is left", kept == [], kept)
    check("no unit is left", "tomoshibi" not in machine.run("systemctl", "list-unit-files", "--no-pager").stdout)


def main():
    booted.need_a_machine()
    began = time.monotonic()
    with harness.work_folder("package") as folder:
        packages = make_packages(folder)
        look_at_packages(packages)
        with booted.Machine(folder) as machine:
            install(machine, packages)
            look_at_units(machine)
            configure(machine)
            reload(machine)
            restore(machine)
            watchdog(machine)
            upgrade_stop_and_kill(machine, packages)
            remove_and_purge(machine)
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
