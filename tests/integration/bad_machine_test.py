#!/usr/bin/env python3
"""Goal: what a bad machine does to the relay has a decided and told outcome: a disk that is full or read-only, folders and keys
with the wrong rights, a damaged database, certificates out of their time, a port that is taken. Nothing acknowledged is lost.

Real disks: small file systems in memory, mounted in a mount namespace that this test has for itself.
"""
import json
import os
import pathlib
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

import harness

sys.path.insert(0, str(harness.ROOT / "tests/support"))
from relay_fixture import PATIENCE_S, Gateway, Relay, hello, records, slot_record  # noqa: E402
from wire import ACK  # noqa: E402

OWN_MOUNTS = "TOMOSHIBI_OWN_MOUNTS"
DISK_MIB = 24          # emergency.db takes 8 MiB for itself
NOBODY = 65534


def enter_own_mounts():
    """Starts this program again where a mount is nobody else's business."""
    if OWN_MOUNTS in os.environ:
        return
    harness.need_root()
    if subprocess.run(["unshare", "--mount", "true"], check=False).returncode != 0:
        harness.skip("no mount namespaces here")
    os.environ[OWN_MOUNTS] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, "-B", *sys.argv])


class Disk:
    """A file system of a few MiB."""

    def __init__(self, case, mib=DISK_MIB):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="tms-disk-"))
        harness.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=0755", "tmpfs", str(self.path)])
        case.addCleanup(self.remove)

    def remove(self):
        subprocess.run(["umount", "--lazy", str(self.path)], check=False)
        self.path.rmdir()

    def fill(self):
        with open(self.path / "ballast", "ab", buffering=0) as file:
            try:
                for size in (1 << 16, 1 << 12, 1):
                    while True:
                        try:
                            file.write(b"\0" * size)
                        except OSError:
                            break
            finally:
                pass
        left = shutil.disk_usage(self.path).free
        if left >= 4096:
            harness.fail(f"{left} bytes are still free")

    def give_back(self):
        (self.path / "ballast").unlink()

    def remount(self, option):
        harness.run(["mount", "-o", f"remount,{option}", str(self.path)])


class FaultyDisk:
    """An ext4 that the kernel can be asked to find an error on; it turns read-only as on a failing flash chip."""

    def __init__(self, case):
        self.case = case
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="tms-ext4-"))
        self.image = pathlib.Path(tempfile.mkdtemp(prefix="tms-image-")) / "disk"
        case.addCleanup(self.remove)
        with open(self.image, "wb") as file:
            file.truncate(32 << 20)
        if shutil.which("mkfs.ext4") is None or not self.mount(first=True):
            case.skipTest("no ext4 on a loop device here")
        self.trigger = pathlib.Path(f"/sys/fs/ext4/{self.device.name}/trigger_fs_error")
        if not os.access(self.trigger, os.W_OK):
            case.skipTest("the kernel cannot be asked for a disk error here")

    def mount(self, first=False):
        if first:
            harness.run(["mkfs.ext4", "-q", "-F", str(self.image)])
        done = subprocess.run(["mount", "-o", "loop,errors=remount-ro", str(self.image), str(self.path)], check=False,
                              capture_output=True)
        if done.returncode == 0:
            self.device = pathlib.Path(harness.run(["findmnt", "-n", "-o", "SOURCE", str(self.path)]).strip())
        return done.returncode == 0

    def fail(self):
        self.trigger.write_text("1")

    def repair(self):
        harness.run(["umount", str(self.path)])
        subprocess.run(["fsck.ext4", "-y", str(self.image)], check=False, capture_output=True)
        if not self.mount():
            harness.fail("the repaired disk cannot be mounted")

    def remove(self):
        subprocess.run(["umount", str(self.path)], check=False, capture_output=True)
        shutil.rmtree(self.image.parent, ignore_errors=True)
        self.path.rmdir()


def slots(first, count):
    base = int(time.time()) // 900 - 1_000
    return [slot_record(base + i, state=1) for i in range(first, first + count)]


class WithRelay(unittest.TestCase):
    def relay_on(self, disk=None, configuration=""):
        before, tempfile.tempdir = tempfile.tempdir, str(disk.path) if disk else tempfile.tempdir
        try:
            relay = Relay(harness.binary("tomoshibi-relay"), harness.binary("tomoshibi-ctl"), configuration)
        finally:
            tempfile.tempdir = before
        self.addCleanup(relay.close)
        return relay

    def run_once(self, relay, user=None):
        """The daemon as it starts and ends by itself: exit code and what it said."""
        done = subprocess.run([harness.binary("tomoshibi-relay"), "--dir", relay.folder], capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False, user=user, group=user, extra_groups=None if user is None else [])
        return done.returncode, done.stderr

    def stored(self, relay):
        """Slots with a report, of all days that may have some."""
        found = 0
        for back in range(12, -1, -1):
            date = time.strftime("%Y-%m-%d", time.gmtime(time.time() - back * 86_400))
            for line in relay.ctl("usage", 1, date, "--json").splitlines():
                found += sum(json.loads(line)["received"])
        return found

    def acked(self, gateway, wanted):
        got = 0
        while got < wanted:
            got = gateway.receive_kind(ACK)[1]
        return got

    def bring_20(self, gateway):
        gateway.come_in("box-1", following=1_000)
        gateway.send(records(1, *slots(0, 20)))
        self.acked(gateway, 20)

    def go_on_after_20(self, relay, more):
        """The same gateway, once all is well again: what was acknowledged is there, and what was not comes again."""
        with relay.gateway(1) as gateway:
            self.assertEqual(gateway.come_in("box-1", following=1_000).get(2), 20)
            gateway.send(records(21, *slots(20, more)))
            self.acked(gateway, 20 + more)
        self.assertEqual(relay.stop(), 0)
        self.assertEqual(self.stored(relay), 20 + more)


class FullDisk(WithRelay):
    def test_nothing_is_acknowledged_while_the_disk_is_full_and_all_comes_when_there_is_room(self):
        disk = Disk(self)
        relay = self.relay_on(disk).start()
        with relay.gateway(1) as gateway:
            self.bring_20(gateway)
            disk.fill()
            gateway.send(records(21, *slots(20, 40)))
            gateway.send(records(61, *slots(60, 40)))
            relay.log.wait_for("evt=commit_failed")
            self.assertIn("err=storage_full", relay.log.text)
            health = json.loads(relay.page("/healthz"))
            self.assertEqual(health["status"], "degraded")
            self.assertTrue(gateway.alive())           # sessions stand, pings are answered
            self.assertGreaterEqual(relay.metric("commit_failing"), 1)
            disk.give_back()
            self.acked(gateway, 100)
            relay.log.wait_for("evt=commits_again")
        self.assertEqual(relay.stop(), 0)
        self.assertEqual(self.stored(relay), 100)

    def test_killed_on_a_full_disk_it_loses_nothing_that_was_acknowledged(self):
        disk = Disk(self)
        relay = self.relay_on(disk).start()
        with relay.gateway(1) as gateway:
            self.bring_20(gateway)
            disk.fill()
            gateway.send(records(21, *slots(20, 40)))
            relay.log.wait_for("evt=commit_failed")
        relay.kill()
        # On a full disk it either starts and waits for room, or says why it does not.
        code = None
        try:
            relay.start()
        except AssertionError:
            code = relay.process.wait(PATIENCE_S)
            self.assertEqual(code, 1)
            self.assertRegex(relay.log.text, "storage_full|full|No space")
        disk.give_back()
        if code is not None:
            relay.start()
        self.go_on_after_20(relay, 40)


class ReadOnlyDisk(WithRelay):
    def test_a_disk_that_turns_read_only_stops_acknowledgements_and_nothing_else(self):
        disk = FaultyDisk(self)
        relay = self.relay_on(disk).start()
        with relay.gateway(1) as gateway:
            self.bring_20(gateway)
            disk.fail()
            gateway.send(records(21, *slots(20, 5)))
            relay.log.wait_for("evt=commit_failed")
            self.assertTrue(gateway.alive())
            self.assertEqual(json.loads(relay.page("/healthz"))["status"], "degraded")
        relay.kill()
        disk.repair()
        relay.start()
        self.go_on_after_20(relay, 5)

    def test_it_does_not_start_on_a_read_only_disk_and_says_so(self):
        disk = Disk(self)
        relay = self.relay_on(disk)
        relay.start()
        self.assertEqual(relay.stop(), 0)
        disk.remount("ro")
        code, said = self.run_once(relay)
        self.assertEqual(code, 1)
        self.assertRegex(said, r"evt=cannot_run .*(relay\.db|relay\.sock)")
        self.assertRegex(said, r"[Rr]ead-?only")
        disk.remount("rw")
        relay.start()
        self.assertEqual(relay.stop(), 0)


class Rights(WithRelay):
    def test_a_folder_that_is_not_ours_to_write_is_named(self):
        relay = self.relay_on()
        for path in [relay.root, relay.folder, *relay.folder.iterdir()]:
            os.chmod(path, 0o755 if path.is_dir() else 0o644 if not path.name.endswith("key.pem") else 0o640)
            if path.name == "relay-key.pem":
                os.chown(path, 0, NOBODY)
        code, said = self.run_once(relay, user=NOBODY)
        self.assertEqual(code, 1, said)
        self.assertIn(str(relay.folder), said)
        self.assertRegex(said, r"(?i)permission|read-?only|unable to open|cannot")

    def test_a_key_that_everybody_can_read_is_refused(self):
        relay = self.relay_on()
        os.chmod(relay.folder / "relay-key.pem", 0o644)
        code, said = self.run_once(relay)
        self.assertEqual(code, 2, said)
        self.assertIn("relay-key.pem", said)
        self.assertIn("0644", said)
        os.chmod(relay.folder / "relay-key.pem", 0o600)
        relay.start()
        self.assertEqual(relay.stop(), 0)

    def test_a_gateways_key_that_everybody_can_read_is_refused(self):
        relay = self.relay_on()
        box = relay.box(1)
        os.chmod(box / "gateway.key", 0o604)
        done = subprocess.run([harness.binary("tomoshibi-gateway"), "--check-config", "--config", box / "gateway.toml"],
                              capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("gateway.key", done.stderr)


class DamagedDatabase(WithRelay):
    def test_it_refuses_a_damaged_database_leaves_it_alone_and_says_what_to_do(self):
        relay = self.relay_on()
        relay.start()
        self.assertEqual(relay.stop(), 0)
        path = relay.folder / "relay.db"
        good = path.read_bytes()
        noise = random.Random(1)
        for name, bad in {"head": b"not a database, not at all" + good[26:], "noise": noise.randbytes(len(good)),
                          "short": good[:5000], "schema": good[:100] + noise.randbytes(4000) + good[4100:]}.items():
            with self.subTest(name):
                for extra in ("relay.db-wal", "relay.db-shm"):
                    (relay.folder / extra).unlink(missing_ok=True)
                path.write_bytes(bad)
                code, said = self.run_once(relay)
                self.assertEqual(code, 1, said)
                self.assertRegex(said, r"evt=cannot_run .*err=storage_corrupt")
                self.assertIn("relay.db", said)
                self.assertRegex(said, "restore")
                self.assertEqual(path.read_bytes(), bad)  # evidence, and perhaps half a rescue
        path.write_bytes(good)
        relay.start()
        self.assertEqual(relay.stop(), 0)

    def test_a_damaged_day_is_put_aside_and_the_rest_goes_on(self):
        relay = self.relay_on()
        relay.start()
        with relay.gateway(1) as gateway:
            self.bring_20(gateway)
        self.assertEqual(relay.stop(), 0)
        with sqlite3.connect(relay.folder / "relay.db") as db:
            db.execute("UPDATE day SET cells = x'ff00ff00'")
        relay.start()
        with relay.gateway(1) as gateway:
            gateway.come_in("box-1", following=1_000)
            gateway.send(records(21, *slots(20, 5)))
            self.acked(gateway, 25)
        self.assertEqual(relay.stop(), 0)
        done = subprocess.run([harness.binary("tomoshibi-ctl"), "--dir", relay.folder, "check"], capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("could not be read", done.stdout + done.stderr)


class CertificateDates(WithRelay):
    def issue(self, relay, key, name, out, start, end, usage):
        """A certificate of this provider's CA with these dates (openssl ca; ours have no such option)."""
        work = relay.root / "openssl"
        work.mkdir(exist_ok=True)
        (work / "index.txt").write_text("")
        (work / "serial").write_text("77\n")
        (work / "cnf").write_text(f"""[ca]
default_ca = d
[d]
database = {work}/index.txt
serial = {work}/serial
new_certs_dir = {work}
certificate = {relay.folder}/ca.pem
private_key = {relay.folder}/ca-key.pem
default_md = sha256
policy = p
x509_extensions = x
[p]
commonName = supplied
[x]
extendedKeyUsage = {usage}
subjectAltName = IP:127.0.0.1
keyUsage = digitalSignature
basicConstraints = CA:FALSE
""")
        harness.run(["openssl", "req", "-new", "-key", str(key), "-subj", f"/CN={name}", "-out", str(work / "csr")])
        harness.run(["openssl", "ca", "-batch", "-notext", "-config", str(work / "cnf"), "-in", str(work / "csr"), "-out",
                     str(out), "-startdate", start, "-enddate", end])

    def test_a_gateways_certificate_out_of_its_time_is_refused_by_name_of_the_fault(self):
        if shutil.which("openssl") is None:
            self.skipTest("no openssl command")
        relay = self.relay_on().start()
        for start, end, word in (("200101000000Z", "210101000000Z", "expired"),
                                 ("400101000000Z", "410101000000Z", "starts in the future")):
            with self.subTest(word):
                box = relay.box(2)
                self.issue(relay, box / "gateway.key", "box-2", box / "gateway.pem", start, end, "clientAuth")
                with self.assertRaises((OSError, AssertionError)):
                    with Gateway(relay.port, box) as gateway:
                        gateway.send(hello("box-2"))
                        gateway.receive_kind(2)
                relay.log.wait_for(word)
        self.assertRegex(relay.log.text, "evt=handshake_failed .*err=tls_failed")
        with relay.gateway(1) as gateway:
            gateway.come_in("box-1")
            self.assertTrue(gateway.alive())
        self.assertEqual(relay.stop(), 0)

    def test_the_relays_own_certificate_out_of_its_time_is_shown_and_clients_with_a_clock_refuse_it(self):
        if shutil.which("openssl") is None:
            self.skipTest("no openssl command")
        relay = self.relay_on()
        for start, end, expired in (("200101000000Z", "210101000000Z", True), ("400101000000Z", "410101000000Z", False)):
            with self.subTest(end):
                self.issue(relay, relay.folder / "relay-key.pem", "127.0.0.1", relay.folder / "relay.pem", start, end, "serverAuth")
                relay.start()
                with self.assertRaises(OSError):
                    with relay.gateway(1):
                        pass
                health = json.loads(relay.page("/healthz"))
                self.assertEqual(health["status"], "degraded", health)
                self.assertIn("certificate", " ".join(health["reasons"]))
                self.assertEqual(relay.stop(), 0)


class Ports(WithRelay):
    def test_a_taken_pages_port_is_named(self):
        relay = self.relay_on().start()
        other = self.relay_on()
        text = (other.folder / "relay.toml").read_text()
        (other.folder / "relay.toml").write_text(text.replace('[pages]\nlisten = "127.0.0.1"\nport = 0',
                                                              f'[pages]\nlisten = "127.0.0.1"\nport = {relay.pages}'))
        code, said = self.run_once(other)
        self.assertEqual(code, 1)
        self.assertIn(str(relay.pages), said)
        self.assertIn("net_unreachable", said)
        self.assertEqual(relay.stop(), 0)


if __name__ == "__main__":
    enter_own_mounts()
    unittest.main()
