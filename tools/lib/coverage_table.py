"""Prints line and branch coverage by file from llvm-cov export -summary-only, least covered first.

    python3 tools/lib/coverage_table.py SUMMARY.json

Only our own product files count: tests, generated code and third-party sources are left out.
"""
import json
import pathlib
import sys

PARTS = ("protocol", "drivers", "firmware", "relay", "tools")


def main():
    rows = []
    for file in json.load(open(sys.argv[1], encoding="utf-8"))["data"][0]["files"]:
        name = pathlib.PurePath(file["filename"])  # the build maps the project's folder away
        if name.is_absolute() or name.parts[0] not in PARTS:
            continue
        lines, branches = file["summary"]["lines"], file["summary"]["branches"]
        rows.append((str(name), lines["covered"], lines["count"], branches["covered"], branches["count"]))

    def share(covered, count):
        return f"{covered:5d}/{count:<5d} {100 * covered / count if count else 100:5.1f} %"

    rows.sort(key=lambda r: (r[1] / r[2] if r[2] else 1, r[0]))
    print(f"{'file':52} {'lines':20} {'branches':20}")
    for name, *numbers in rows:
        print(f"{name:52} {share(*numbers[:2]):20} {share(*numbers[2:]):20}")
    sums = [sum(r[i] for r in rows) for i in range(1, 5)]
    print(f"{'all':52} {share(*sums[:2]):20} {share(*sums[2:]):20}")


if __name__ == "__main__":
    main()
