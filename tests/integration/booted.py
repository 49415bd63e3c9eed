"""A machine of its own to install packages on: this machine's root file system under a layer in memory, with systemd as its
process 1, in namespaces of its own. What happens there changes nothing here; it is gone when the test ends.

Needs root, overlayfs, cgroup 2 and systemd. /sys and the kernel's settings are read-only inside.
"""
import os
import pathlib
import signal
import subprocess
import time

import harness

PATIENCE_S = 60
# What a container has no use for, and what would reach through to the machine's kernel.
MASKED = ["systemd-sysctl.service", "systemd-modules-load.service", "systemd-remount-fs.service", "systemd-pstore.service",
          "systemd-random-seed.service", "systemd-udevd.service", "systemd-udev-trigger.service", "systemd-update-utmp.service",
          "systemd-binfmt.service", "proc-sys-fs-binfmt_misc.automount", "sys-kernel-debug.mount", "sys-kernel-tracing.mount",
          "sys-fs-fuse-connections.mount", "dev-hugepages.mount", "dev-mqueue.mount", "systemd-tmpfiles-clean.timer",
          "systemd-timesyncd.service", "getty.target", "console-getty.service", "tmp.mount"]

INSIDE = r"""
set -e
at=$1
mount --make-rprivate /
mount -t tmpfs -o size=1g,mode=755 tmpfs "$at"
mkdir "$at/upper" "$at/work" "$at/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$at/upper,workdir=$at/work" "$at/root"
cd "$at/root"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm
for n in "null 3" "zero 5" "full 7" "random 8" "urandom 9"; do mknod -m 666 dev/${n% *} c 1 ${n#* }; done
mknod -m 666 dev/tty c 5 0
ln -s /proc/self/fd dev/fd
ln -s pts/ptmx dev/ptmx
# An earlier installation of the machine is not this one's.
rm -rf var/lib/tomoshibi var/lib/tomoshibi-gateway etc/tomoshibi
# Containers' images forbid packages to start services; a machine does not.
rm -f usr/sbin/policy-rc.d
rm -f etc/machine-id && : > etc/machine-id
shift
for unit in "$@"; do ln -sf /dev/null "etc/systemd/system/$unit"; done
pivot_root . mnt
umount -l /mnt
ip link set lo up
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=basic.target --log-target=journal
"""


def need_a_machine():
    harness.need_root()
    for path, what in (("/lib/systemd/systemd", "systemd"), ("/sys/fs/cgroup", "control groups")):
        if not os.path.exists(path):
            harness.skip(f"no {what} here")
    if cgroup_root() is None:
        harness.skip("no cgroup 2 hierarchy is mounted: systemd could not be started as process 1")
    if "overlay" not in pathlib.Path("/proc/filesystems").read_text():
        harness.skip("the kernel has no overlayfs: packages would be installed on this machine itself")


def cgroup_root():
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        mount, _, kind = line.partition(" - ")
        if kind.startswith("cgroup2 "):
            return pathlib.Path(mount.split()[4])
    return None


class Machine:
    def __init__(self, folder):
        self.folder = folder / "machine"
        self.folder.mkdir()
        self.group = cgroup_root() / f"tms-{os.getpid()}-package"
        self.pid = None

    def __enter__(self):
        self.group.mkdir()
        try:
            self.boot()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_):
        self.remove()

    def boot(self):
        def enter():
            harness.die_with_parent()
            (self.group / "cgroup.procs").write_text(str(os.getpid()))

        (self.folder.parent / "boot.sh").write_text(INSIDE)
        self.popen = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup", "--fork", "--kill-child", "bash",
             self.folder.parent / "boot.sh", self.folder, *MASKED],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.folder.parent / "boot.log", "wb"),
            preexec_fn=enter, start_new_session=True)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            if self.popen.poll() is not None:
                harness.skip(f"no machine can be started here: {(self.folder.parent / 'boot.log').read_text()[-300:]}")
            children = subprocess.run(["pgrep", "-P", str(self.popen.pid)], capture_output=True, text=True, check=False)
            self.pid = (children.stdout.split() or [None])[0]
            if self.pid and self.run("systemctl", "is-system-running", check=False).stdout.strip() in ("running", "degraded"):
                return
            if time.monotonic() > deadline:
                harness.fail(f"systemd did not come up: {(self.folder.parent / 'boot.log').read_text()[-2000:]}")
            time.sleep(0.1)

    def remove(self):
        if self.pid:
            os.kill(int(self.pid), signal.SIGKILL)  # process 1 of a namespace takes everything in it along
        self.popen.kill()
        self.popen.wait()
        for attempt in range(100):
            try:
                for path in sorted(self.group.rglob("*"), reverse=True):
                    if path.is_dir():
                        path.rmdir()
                self.group.rmdir()
                return
            except OSError:
                time.sleep(0.05 * (attempt > 0))

    def run(self, *command, check=True, timeout=120):
        done = subprocess.run(["nsenter", "-t", self.pid, "-m", "-p", "-n", "-i", "-u", "-C", "--wd=/root", "--", "env", "-i",
                               "LC_ALL=C.UTF-8",
                               "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *map(str, command)],
                              capture_output=True, text=True, check=False, timeout=timeout, stdin=subprocess.DEVNULL)
        if check and done.returncode != 0:
            harness.fail(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def property(self, unit, name):
        return self.run("systemctl", "show", "-p", name, "--value", unit).stdout.strip()

    def until(self, what, holds):
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > deadline:
                journal = self.run("journalctl", "--no-pager", "-n", "40", check=False).stdout
                harness.fail(f"not within {PATIENCE_S} s: {what}\n{journal}")
            time.sleep(0.05)

    def put(self, path, data):
        """Writes a file inside."""
        subprocess.run(["nsenter", "-t", self.pid, "-m", "--", "sh", "-c", f"cat > '{path}'"], input=data, check=True)
