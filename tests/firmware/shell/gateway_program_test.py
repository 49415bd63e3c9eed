"""Goal: the program as an operator meets it: exit codes, words on standard error, an end in order, one gateway per folder.

    gateway_program_test.py PROGRAM

Runs in a network namespace of its own (unshare), so port 3610 is free; skipped (77) where that is not allowed.
"""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from notify_fixture import HeldThread, Manager  # noqa: E402

PROGRAM = os.path.abspath(sys.argv[1])
APART = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]
GOOD = '[gateway]\nstate_folder = "{folder}"\nlog = "debug"\n[echonet]\ninterface = "lo"\nbind_address = "127.0.0.1"\n'
faults = []


def check(what, true):
    print(("ok      " if true else "FAILED  ") + what)
    if not true:
        faults.append(what)


def run(*arguments):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def start(config, environment=None):
    """A gateway that has told that it runs; standard error is read up to that line."""
    process = subprocess.Popen([PROGRAM, "--config", str(config)], stderr=subprocess.PIPE, text=True, env=environment)
    for line in process.stderr:
        if "evt=running" in line:
            return process
    return process


def command_line(work):
    code, out, _ = run("--help")
    check("--help: exit 0 and names every option", code == 0 and "--replay-clock" in out and "--check-config" in out)
    code, out, _ = run("--version")
    check("--version: exit 0", code == 0 and out.startswith("tomoshibi-gateway "))
    code, _, err = run("--wrong")
    check("an unknown argument: exit 2, named", code == 2 and "--wrong" in err)
    code, _, err = run("--config", str(work / "none.toml"))
    check("a missing configuration: exit 2, named", code == 2 and "none.toml" in err)
    (work / "bad.toml").write_text('[gateway]\nlog = "loud"\n[relay]\naddresses = ["x"]\ntypo = 1\n')
    code, _, err = run("--config", str(work / "bad.toml"))
    check("a wrong configuration: exit 2, each line named",
          code == 2 and all(f"bad.toml:{n}:" in err for n in (2, 4, 5)))
    code, out, _ = run("--print-config")
    (work / "sample.toml").write_text(out)
    code, out, err = run("--check-config", "--config", str(work / "sample.toml"))
    check("the printed sample is a good configuration", code == 0 and "good" in out)
    (work / "far.toml").write_text('[relay]\naddresses = ["192.0.2.1:1"]\n')
    code, _, err = run("--config", str(work / "far.toml"), "--replay-clock", str(work / "none.sock"))
    check("a replay clock with a relay elsewhere: exit 2", code == 2 and "192.0.2.1" in err)
    (work / "tls.toml").write_text('[relay]\naddresses = ["127.0.0.1:1"]\ncertificate = "none.crt"\n')
    code, _, err = run("--config", str(work / "tls.toml"))
    check("a missing certificate: exit 2, named", code == 2 and "relay.certificate: " in err and "none.crt" in err)
    guard_files(work)


def guard_files(work):
    """The files of [guard]: --check-config and a start answer alike."""
    (work / "text").write_text("not PEM, nor a key\n")
    (work / "text").chmod(0o600)
    receivers = 'receivers = ["tls://centre.example.net:10443"]\nca = '
    for what, key, file, lines in (
            ("a missing CA", "guard.ca", "none.pem", receivers + '"none.pem"\n'),
            ("a CA that is none", "guard.ca", "text", receivers + '"text"\n'),
            ("an account's missing key", "guard.account_key", "none.key", 'receivers = ["tcp://127.0.0.1:1"]\naccount_key = "none.key"\n'),
            ("an account's key that is none", "guard.account_key", "text", 'receivers = ["tcp://127.0.0.1:1"]\naccount_key = "text"\n')):
        config = work / "guard.toml"
        config.write_text(GOOD.format(folder=work / "guarded") + f'[guard]\naccount = "1234"\n{lines}')
        for more in (("--check-config",), ()):
            code, _, err = run("--config", str(config), *more)
            check(f"{what} of the guard centre{' at a start' if not more else ''}: exit 2, key and file named",
                  code == 2 and f"{key}: {work / file}: " in err)
    check("nothing was made", not (work / "guarded").exists())


def running(work):
    config = work / "good.toml"
    config.write_text(GOOD.format(folder=work / "state"))
    gateway = start(config)
    gateway.send_signal(signal.SIGTERM)
    rest = gateway.communicate(timeout=20)[1]
    check("SIGTERM: exit 0, told", gateway.returncode == 0 and "evt=stopping" in rest and "evt=end" in rest)
    check("the outbox is there and private", oct((work / "state/outbox.db").stat().st_mode & 0o777) == "0o600")
    check("nothing is left beside it", not (work / "state/outbox.db-wal").exists())

    first = start(config)
    other = work / "other.toml"
    other.write_text(GOOD.format(folder=work / "state2"))
    code, _, err = run("--config", str(other))
    check("a taken port: exit 1, named", code == 1 and "3610" in err and "another ECHONET program" in err)
    first.kill()
    first.wait()
    again = start(config)
    again.send_signal(signal.SIGINT)
    rest = again.communicate(timeout=20)[1]
    check("after kill -9 it starts again and ends in order", again.returncode == 0)

    (work / "state/outbox.db").write_bytes(b"x" * 10000)
    damaged = start(config)
    damaged.send_signal(signal.SIGTERM)
    damaged.communicate(timeout=20)
    check("a corrupt outbox: goes on, the old file is kept",
          damaged.returncode == 0 and (work / "state/outbox.db.corrupt").read_bytes() == b"x" * 10000)

    (work / "file").write_text("")
    blocked = work / "blocked.toml"
    blocked.write_text(GOOD.format(folder=work / "file"))
    code, _, err = run("--config", str(blocked))
    check("a state folder that is none: exit 1, named", code == 1 and "state_folder" in err)


def life(work):
    """What a service manager sees."""
    config = work / "life.toml"
    config.write_text(GOOD.format(folder=work / "life"))
    manager = Manager(work, watchdog_ms=300)
    gateway = start(config, manager.environment)
    check("told ready", "records to send" in manager.wait_for("READY")["STATUS"])
    check("the watchdog is fed", all(manager.next(20).get("WATCHDOG") == "1" for _ in range(3)))
    with HeldThread(gateway.pid):
        manager.drain()
        check("a loop that hangs is silent", manager.next(1.5) is None)
    manager.wait_for("WATCHDOG")

    def reload(text):
        config.write_text(text)
        gateway.send_signal(signal.SIGHUP)
        manager.wait_for("RELOADING")
        return manager.wait_for("READY")["STATUS"]

    good = GOOD.format(folder=work / "life")
    status = reload(good + "typo = 1\n")
    check("SIGHUP with a bad file: refused", "refused" in status)
    status = reload(good.replace("debug", "info").replace('"lo"', '"eth7"'))
    check("SIGHUP with a good file: taken", "refused" not in status)
    reload(good + '[relay]\naddresses = ["127.0.0.1:1"]\ncertificate = "none.crt"\n')
    gateway.send_signal(signal.SIGTERM)
    manager.wait_for("STOPPING")
    rest = gateway.communicate(timeout=20)[1]
    manager.close()
    check("the bad file is named with its line", "life.toml:7" in rest and "unknown key" in rest)
    check("what changes at the next start only is named", 'evt=restart_needed keys=echonet.interface' in rest)
    check("what changed is named", "evt=configuration_changed keys=gateway.log" in rest)
    check("a missing certificate refuses the file", "none.crt" in rest)
    check("ended in order", gateway.returncode == 0)


def main():
    if "--inside" in sys.argv:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        with tempfile.TemporaryDirectory(prefix="tms-test-") as folder:
            command_line(pathlib.Path(folder))
            running(pathlib.Path(folder))
            life(pathlib.Path(folder))
        return 1 if faults else 0
    try:
        allowed = subprocess.run(APART + ["true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        allowed = False
    if not allowed:
        print("SKIPPED: no right to make a network namespace (unshare)")
        return 77
    return subprocess.run(APART + [sys.executable, __file__, PROGRAM, "--inside"]).returncode


sys.exit(main())
