"""What integration tests share: skipping with a reason, and the stage (tools/lib/stage.py)."""
import gzip
import os
import pathlib
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools/lib"), str(ROOT / "tests/tools")]
from stage import *  # noqa: E402,F401,F403  one name for tests

SKIPPED = 77  # ctest's SKIP_RETURN_CODE


def skip(reason):
    print(f"SKIPPED: {reason}")
    sys.exit(SKIPPED)


def need_root():
    if os.geteuid() != 0:
        skip("network namespaces need root")
    if shutil.which("ip") is None:
        skip("the command 'ip' (package iproute2) is missing; tools/setup installs it")


def shared_data(name):
    """A file of the recorded homes that lie beside the repository; skips the test where they do not."""
    path = pathlib.Path(os.environ.get("TOMOSHIBI_SHARED_DATA", ROOT.parent / "shared/data")) / name
    if not path.exists():
        skip(f"the recorded homes are not there ({path.name}); set TOMOSHIBI_SHARED_DATA to their folder")
    return str(path)


def unpacked_lines(path):
    with gzip.open(path, "rt") as lines:
        return list(lines)


def npm_packages(folder):
    """The npm packages that a folder's package-lock.json pins, in the cache; what a package wants to run is not run."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        skip("node and npm are missing; tools/setup installs them")
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "tomoshibi" / folder.name
    lock = (folder / "package-lock.json").read_text()
    done = cache / "installed-lock.json"
    if not done.exists() or done.read_text() != lock:
        cache.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(folder / name, cache / name)
        tried = subprocess.run(["npm", "ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"], cwd=cache,
                               capture_output=True, text=True, check=False)
        if tried.returncode != 0:
            skip(f"npm could not fetch the packages (no network?): {tried.stderr[-300:]}")
        done.write_text(lock)
    return cache
