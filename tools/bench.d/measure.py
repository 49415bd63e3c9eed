"""Reading /proc, and arithmetic on rounds. Standard library only."""
import os
import statistics
import time

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pid):
    """Processor seconds of a process, all its threads."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_kb(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        for line in rollup:
            if line.startswith("Rss:"):
                return int(line.split()[1])
    return 0


def written_bytes(pid):
    """What the process caused to be sent to the storage layer (proc(5), write_bytes)."""
    with open(f"/proc/{pid}/io", encoding="ascii") as io:
        for line in io:
            if line.startswith("write_bytes:"):
                return int(line.split()[1])
    return 0


def median(values):
    values = [v for v in values if v is not None]
    return statistics.median(values) if values else None


def load_average():
    return os.getloadavg()[0]


class CpuSpan:
    """Processor seconds of some processes between two moments."""

    def __init__(self, pids):
        self.pids, self.began = pids, [cpu_s(p) for p in pids]

    def seconds(self):
        return sum(cpu_s(p) - b for p, b in zip(self.pids, self.began))


def fsync_ms(folder, times=50):
    """Median of a 4 KiB append with fdatasync."""
    path, took = os.path.join(folder, "fsync-probe"), []
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    try:
        for _ in range(times):
            os.write(fd, bytes(4096))
            began = time.perf_counter()
            os.fdatasync(fd)
            took.append((time.perf_counter() - began) * 1e3)
    finally:
        os.close(fd)
        os.unlink(path)
    return statistics.median(took)
