"""Samples of a process over time, and whether they are flat: least squares over one life, its beginning left out."""
import os
import pathlib

WARM_UP = 1 / 3  # of a life: pools, caches and the store's pages fill


def sample(pid):
    """Resident KiB, descriptors and threads; None when the process has gone."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        values = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        return {"rss_kib": int(values["VmRSS"].split()[0]), "threads": int(values["Threads"]),
                "fds": len(os.listdir(f"/proc/{pid}/fd"))}
    except (OSError, KeyError):
        return None


def slope(points):
    """Of (seconds, value): value a second."""
    if len(points) < 2:
        return 0.0
    n = len(points)
    mean_t = sum(t for t, _ in points) / n
    mean_v = sum(v for _, v in points) / n
    spread = sum((t - mean_t) ** 2 for t, _ in points)
    return sum((t - mean_t) * (v - mean_v) for t, v in points) / spread if spread else 0.0


def measured_part(points):
    if not points:
        return []
    begin = points[0][0] + (points[-1][0] - points[0][0]) * WARM_UP
    return [p for p in points if p[0] >= begin]


def growth(points):
    """What the line through the measured part rises from its beginning to its end."""
    part = measured_part(points)
    return slope(part) * (part[-1][0] - part[0][0]) if part else 0.0


def svg(series, path, title):
    """series: {name: [(seconds, value)]}, each scaled to itself; its range stands beside its name."""
    width, height, row = 900, 110, 130
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + 40}" height="{row * len(series) + 40}" '
           f'font-family="sans-serif" font-size="13"><text x="20" y="22">{title}</text>']
    for i, (name, points) in enumerate(series.items()):
        if not points:
            continue
        top = 40 + i * row
        last = max(points[-1][0], 1)
        low, high = min(v for _, v in points), max(v for _, v in points)
        line = " ".join(f"{20 + t / last * width:.1f},{top + height - (v - min(low, 0)) / max(high - min(low, 0), 1) * (height - 20):.1f}"
                        for t, v in points)
        out.append(f'<text x="20" y="{top + 10}">{name}: {low} to {high}</text>'
                   f'<polyline fill="none" stroke="#205080" points="{line}"/>')
    pathlib.Path(path).write_text("\n".join(out) + "\n</svg>\n")
