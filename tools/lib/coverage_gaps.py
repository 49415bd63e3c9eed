"""Compares the branches that tests take with the reasons written for those they do not.

    python3 tools/lib/coverage_gaps.py [--gaps] EXPORT.json REASONS.md FILE...

EXPORT.json is llvm-cov export's. REASONS.md has a table whose rows are | file | line of code | side | reason |: the line
as it stands in the file, without blanks at its ends, and the side that no test takes (true, false, or both for a branch
that is never reached). Line numbers would not survive the next commit. Exit 1: a gap without a reason, or a reason
without a gap.
"""
import collections
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def branches_of(export):
    """{file: {(line, column): [taken, not taken]}}, summed over instantiations and programs."""
    found = collections.defaultdict(lambda: collections.defaultdict(lambda: [0, 0]))
    for function in export["data"][0]["functions"]:
        for b in function.get("branches", []):
            file = function["filenames"][b[6]]
            counts = found[file][(b[0], b[1], b[2], b[3])]
            counts[0] += b[4]
            counts[1] += b[5]
    return found


def side_of(taken, not_taken):
    if taken and not_taken:
        return None
    if not taken and not not_taken:
        return "both"
    return "false" if taken else "true"


def cell(text):
    return text.strip().strip("`").replace("\\|", "|").strip()


def reasons_in(path):
    reasons = {}
    if not path.exists():
        return reasons
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = line.replace("\\|", "\x00").strip().strip("|").split("|")
        cells = [cell(c.replace("\x00", "|")) for c in cells]
        if len(cells) == 4 and (ROOT / cells[0]).is_file():
            reasons[tuple(cells[:3])] = cells[3]
    return reasons


def main():
    arguments = sys.argv[1:]
    show = "--gaps" in arguments
    arguments = [a for a in arguments if a != "--gaps"]
    export = json.load(open(arguments[0], encoding="utf-8"))
    reasons = reasons_in(pathlib.Path(arguments[1]))
    names = arguments[2:]
    found = branches_of(export)
    seen, unexplained = set(), []
    total = [0, 0]
    print(f"{'file':46} {'branches':>9} {'tested':>7} {'reasons':>8} {'open':>5}")
    for name in names:
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        branches = found.get(name, {})  # the build maps the project's folder away
        sides = untested = explained = 0
        for (line, *_), (taken, not_taken) in sorted(branches.items()):
            sides += 2
            side = side_of(taken, not_taken)
            if side is None:
                continue
            missing = 2 if side == "both" else 1
            untested += missing
            key = (name, lines[line - 1].strip(), side)
            if key in reasons:
                seen.add(key)
                explained += missing
            else:
                unexplained.append((line, key))
        total[0] += sides
        total[1] += sides - untested
        print(f"{name:46} {sides:9} {sides - untested:7} {explained:8} {untested - explained:5}")
    share = 100 * total[1] / total[0] if total[0] else 100
    print(f"{'all':46} {total[0]:9} {total[1]:7}   {share:.1f} %")
    for line, (name, code, side) in unexplained:
        print(f"untested: {name}:{line}: never {side if side != 'both' else 'reached'}: {code}")
        if show:
            escaped = code.replace("|", "\\|")
            print(f"| `{name}` | `{escaped}` | {side} | |")
    stale = [key for key in reasons if key[0] in names and key not in seen]
    for name, code, side in stale:
        print(f"a reason without a gap: {name}: {side}: {code}")
    sys.exit(1 if unexplained or stale else 0)


if __name__ == "__main__":
    main()
