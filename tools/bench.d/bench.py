"""The load measurements; tools/bench builds and calls it."""
import argparse
import json
import os
import pathlib
import platform
import shutil
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "tools/lib")]
import fire  # noqa: E402
import home  # noqa: E402
import measure  # noqa: E402
import press  # noqa: E402
import press_figures  # noqa: E402
import report  # noqa: E402
import servers  # noqa: E402
import stage  # noqa: E402

PARTS = ("echonet", "gateway", "mad", "many", "press")
GATEWAYS_MAX = 20_000


def parse():
    p = argparse.ArgumentParser(prog="tools/bench", add_help=False)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--gateways", type=int)
    p.add_argument("--restarts", type=int, default=1)
    p.add_argument("--quick", action="store_true")
    p.add_argument("--only", choices=PARTS, action="append")
    p.add_argument("--no-rival", action="store_true")
    p.add_argument("--smoke", action="store_true")
    p.add_argument("--keep", action="store_true")
    p.add_argument("--only-check", action="store_true")
    o = p.parse_args()
    if not 1 <= o.rounds <= 20:
        p.error("--rounds: 1 to 20")
    o.gateways = o.gateways or (50 if o.smoke else 1_000 if o.quick or o.only == ["press"] else 10_000)
    if not 10 <= o.gateways <= GATEWAYS_MAX:
        p.error(f"--gateways: 10 to {GATEWAYS_MAX}")
    if o.quick or o.smoke:
        o.rounds = min(o.rounds, 1)
    if not 0 <= o.restarts <= 20:
        p.error("--restarts: 0 to 20")
    o.steady_s = 1 if o.smoke else 3 if o.quick else 5
    o.steps = sorted({min(1_000, o.gateways), o.gateways})
    o.rival = not (o.no_rival or o.smoke)
    o.floor = o.reader = not o.smoke
    o.parts = o.only or (["mad", "many", "press"] if o.smoke else list(PARTS))
    return o


class Told:
    """Progress with the time since the start."""

    def __init__(self):
        self.began = time.monotonic()

    def __call__(self, text):
        print(f"[{time.monotonic() - self.began:4.0f} s] {text}", file=sys.stderr, flush=True)


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="ascii") if line.startswith("model name")), "")
    return {"cpus": len(os.sched_getaffinity(0)), "model": model, "system": platform.system(), "machine": platform.machine(),
            "load_average": measure.load_average()}


def run(options, folder, say):
    results = {"machine": machine(), "rounds": options.rounds, "gateways": options.gateways, "began": int(time.time())}
    if results["machine"]["load_average"] > 0.5 * results["machine"]["cpus"]:
        say(f"this machine is busy (load {results['machine']['load_average']:.1f}): read the ratios, not the figures")
    results["fdatasync_ms"] = measure.fsync_ms(folder)
    say(f"this disk: 4 KiB and fdatasync {results['fdatasync_ms']:.2f} ms (median)")
    servers.raise_descriptor_limit()
    if options.rival and (why := servers.rival_possible()):
        say(f"without the rival: {why}")
        options.rival = False
    if "echonet" in options.parts:
        home.echonet(options, results, say)
    if "gateway" in options.parts:
        for number in range(min(options.rounds, 2)):
            home.gateway(folder / f"gateway-{number}", results, say)
    if {"mad", "many", "press"} & set(options.parts):
        cache = folder if options.smoke else ROOT / "build/bench"
        fleet = servers.Fleet(cache, options.gateways, say)
        if "many" in options.parts:
            fire.many(options, folder / "many", fleet, results, say)
        if "mad" in options.parts:
            fire.misbehaving(options, folder, fleet, results, say)
        if "press" in options.parts:
            press.way(options, folder, fleet, results, say)
    results["machine"]["load_average_end"] = measure.load_average()
    return results


def tell(options, results):
    table = report.build({**results, "rows": home.rows(results) + press_figures.rows(results)}, options.steps)
    print(table.text())
    out = ROOT / "build/bench/result.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    for row in table.rows:
        row.pop("digits")
    out.write_text(json.dumps({"rows": table.rows, "results": results}, indent=1, sort_keys=True) + "\n")
    print(f"\nmedians of {options.rounds} interleaved rounds; everything measured: {out.relative_to(ROOT)}", file=sys.stderr)


def main():
    options = parse()
    if options.only_check:
        return
    say = Told()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tomoshibi-bench-"))
    try:
        results = run(options, folder, say)
        if options.smoke:
            print("bench smoke: every message acknowledged once, no connection lost, everybody back after a restart, every press in the "
                  "guard centre's list once")
        else:
            tell(options, results)
    except stage.Failure as failure:
        options.keep = True
        sys.exit(f"bench: {failure}\nlogs are in {folder}")
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
