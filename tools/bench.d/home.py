"""Scenarios of one home: the codec, the poll cycle, and the gateway daemon with ten adapters on the replay clock."""
import json
import os
import pathlib
import shutil

import measure
import product
import stage

ADAPTERS = 10
HERE = pathlib.Path(__file__).resolve().parent
# The household is played in the record's past; certificates are not judged by date in a replay.
START, FIRST, SECOND = "2019-05-20T00:00:00Z", "2019-05-20T02:00:00Z", "2019-05-21T02:00:00Z"
PLAY_LIMIT_S = 300


def echonet(options, results, say):
    """Interleaved with npm's, where its package is there (tests/integration/foreign installs it)."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "tomoshibi/foreign/node_modules"
    npm = shutil.which("node") and (cache / "echonet-lite").exists()
    if not npm:
        say("npm's echonet-lite is not there (tools/test --match foreign fetches it): no ratio of the codecs")
    for _ in range(options.rounds):
        ours = json.loads(stage.run([stage.binary("bench-echonet")]))
        results.setdefault("echonet_frames_per_s", {}).setdefault("ours", []).append(ours["frames_per_s"])
        results.setdefault("poll_cycle_ms", {}).setdefault("ours", []).append(ours["cycle_ms"])
        results["poll_cycle_model_ms"] = ours["model_ms"]
        text = f"codec: {ours['frames_per_s'] / 1e6:.1f} M frames/s, poll cycle {ours['cycle_ms']:.0f} ms"
        if npm:
            theirs = json.loads(stage.run(["node", str(HERE / "echonet/echonet.js")], env={**os.environ, "NODE_PATH": str(cache)}))
            results["echonet_frames_per_s"].setdefault("npm", []).append(theirs["frames_per_s"])
            text += f", npm {theirs['frames_per_s'] / 1e6:.2f} M frames/s"
        say(text)


def write_household(folder):
    """Ten adapters, each a node of its own, each used for half an hour every two hours, one after the other."""
    lines, mapping, appliances = ["time,channel,value"], 'interface = "lo"\n', []
    for n in range(1, ADAPTERS + 1):
        mapping += (f'\n[[node]]\nname = "n{n}"\naddress = "127.0.0.{10 + n}"\nnumber = {n}\n'
                    f'\n[[device]]\nnode = "n{n}"\neoj = "05fd01"\nchannel = "c{n}"\nmeaning = "on_off"\n')
        appliances.append(product.Appliance(f"c{n}", f"adapter {n}", "05fd01", n, "on_off", 3, on="operation"))
    for day in (20, 21):
        for hour in range(0, 24, 2):
            for n in range(1, ADAPTERS + 1):
                lines.append(f"2019-05-{day}T{hour:02}:{5 * n - 5:02}:00Z,c{n},1")
                lines.append(f"2019-05-{day}T{hour + 1:02}:{5 * n - 5:02}:00Z,c{n},0")
    (folder / "record.csv").write_text("\n".join(lines) + "\n")
    (folder / "map.toml").write_text(mapping)
    return appliances


def gateway(folder, results, say):
    """One virtual day of the real gateway: resident memory, processor time, bytes to the storage layer."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        say("the gateway is not measured: a network namespace needs root and the command 'ip'")
        return
    folder.mkdir(parents=True)
    appliances = write_household(folder)
    pinned = stage.one_cpu()
    with stage.Namespace("bench") as namespace:
        conductor = stage.ConductedHome(namespace, folder, [
            "--record", str(folder / "record.csv"), "--map", str(folder / "map.toml"), "--zone=+00:00", "--start", START,
            "--end", "2019-05-21T03:00:00Z", "--expect", "3", "--pause", FIRST, "--pause", SECOND], pinned)
        box = product.Product(namespace, folder, conductor.socket, pinned)
        box.set_up("Bench", appliances, [], START, poll_s=60, gap_s=180)
        box.start_relay()
        conductor.wait_for("joined:relay", 30, box.processes())
        box.start_gateway()
        conductor.wait_for("joined:gateway", 30, box.processes())
        conductor.wait_for("paused", PLAY_LIMIT_S, box.processes())
        pid = program_pid(box.gateway.popen.pid)
        written, cpu = measure.written_bytes(pid), measure.cpu_s(pid)
        conductor.order("go")
        conductor.wait_for("paused", PLAY_LIMIT_S, box.processes())
        day = {"written_bytes": measure.written_bytes(pid) - written, "cpu_s": measure.cpu_s(pid) - cpu,
               "rss_kb": measure.rss_kb(pid), "state_bytes": folder_bytes(folder / "box/state")}
        box.stop()
        conductor.order("stop")
    results.setdefault("gateway_day", []).append(day)
    say(f"gateway, {ADAPTERS} adapters, one day: {day['written_bytes'] / 1e6:.2f} MB to the flash chip, {day['cpu_s']:.2f} s of CPU, "
        f"{day['rss_kb'] / 1024:.1f} MB resident, {day['state_bytes'] / 1e3:.0f} kB kept")


def program_pid(pid):
    """`ip netns exec` becomes the program it runs: the same process."""
    name = pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    if not name.startswith("tomoshibi-gatew"):
        stage.fail(f"process {pid} is {name}, not the gateway")
    return pid


def folder_bytes(folder):
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


def rows(results):
    """Rows for the table; their rival and floor are of another kind than the relay's."""
    out = []
    mine = measure.median(results.get("echonet_frames_per_s", {}).get("ours", []))
    npm = measure.median(results.get("echonet_frames_per_s", {}).get("npm", []))
    if mine:
        out.append({"what": "ECHONET frames read, M/s (rival: npm echonet-lite)", "ours": mine / 1e6, "rival": npm and npm / 1e6,
                    "ratio": npm and mine / npm, "goal": ">= 100 x", "met": npm and mine / npm >= 100, "digits": 2})
    cycle = measure.median(results.get("poll_cycle_ms", {}).get("ours", []))
    if cycle:
        model = results["poll_cycle_model_ms"]
        out.append({"what": "poll cycle of 10 adapters at 9,600 bit/s, ms (floor: wire model)", "ours": cycle, "floor": model,
                    "goal": "<= 1.25 x floor", "met": cycle <= 1.25 * model, "digits": 0})
    days = results.get("gateway_day", [])
    if days:
        of = lambda key: measure.median([d[key] for d in days])  # noqa: E731
        out.append({"what": "gateway RSS with 10 adapters, MB", "ours": of("rss_kb") / 1024, "goal": "<= 8",
                    "met": of("rss_kb") / 1024 <= 8})
        out.append({"what": "gateway CPU of a day, s", "ours": of("cpu_s"), "digits": 2})
        out.append({"what": "gateway bytes to flash of a day, MB", "ours": of("written_bytes") / 1e6, "digits": 2})
    return out
