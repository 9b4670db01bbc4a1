#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints coverage a file and checks it against the list of exceptions.

    coverage.py COVERAGE.json EXCEPTIONS

An exception is a line "FILE<tab>SOURCE LINE<tab>REASON": it allows that line of that file, given by
its text without indentation, to be untested or to have untested branches. Whatever is untested and
not listed, and whatever is listed and needs no exception, is a failure: one PASS or FAIL line a file.
"""

import json
import sys

SHOWN = 50


def read_exceptions(path):
    exceptions = {}
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.startswith("#"):
                continue
            fields = line.rstrip("\n").split("\t")
            if len(fields) != 3 or not all(fields):
                sys.exit(f"{path}:{number}: not FILE<tab>SOURCE LINE<tab>REASON")
            exceptions[(fields[0], fields[1])] = number
    return exceptions


def percent(part, whole):
    return f"{100 * part / whole:6.1f} %" if whole else "     -  "


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        files = json.load(file)["files"]
    exceptions = read_exceptions(sys.argv[2])
    needed = set()
    missing = []
    totals = [0, 0, 0, 0]
    print(f"{'file':24} {'lines':>6} {'tested':>8} {'branches':>9} {'tested':>8}")
    for entry in sorted(files, key=lambda e: e["file"]):
        name = entry["file"]
        with open(name, encoding="utf-8") as source:
            text = [line.strip() for line in source]
        counts = [0, 0, 0, 0]
        for line in entry["lines"]:
            if line.get("gcovr/noncode"):
                continue
            branches = line["branches"]
            taken = sum(1 for b in branches if b["count"] > 0)
            for i, n in enumerate((1, line["count"] > 0, len(branches), taken)):
                counts[i] += n
            if line["count"] == 0 or taken < len(branches):
                key = (name, text[line["line_number"] - 1])
                if key in exceptions:
                    needed.add(key)
                else:
                    what = "untested" if line["count"] == 0 else (
                        f"{len(branches) - taken} of {len(branches)} branches untested")
                    missing.append(f"{name}:{line['line_number']}: {what}: {key[1]}")
        totals = [a + b for a, b in zip(totals, counts)]
        print(f"{name:24} {counts[0]:6} {percent(counts[1], counts[0])}"
              f" {counts[2]:9} {percent(counts[3], counts[2])}")
    print(f"{'all':24} {totals[0]:6} {percent(totals[1], totals[0])}"
          f" {totals[2]:9} {percent(totals[3], totals[2])}")
    for line in missing[:SHOWN]:
        print(line)
    if len(missing) > SHOWN:
        print(f"... and {len(missing) - SHOWN} more")
    unused = [f"{sys.argv[2]}:{number}: needs no exception: {key[0]}: {key[1]}"
              for key, number in exceptions.items() if key not in needed]
    for line in unused:
        print(line)
    print(f"{len(needed)} exceptions, {len(missing)} lines without a reason")
    for entry in sorted(files, key=lambda e: e["file"]):
        name = entry["file"]
        wrong = any(line.startswith(name + ":") for line in missing)
        print(f"{'FAIL' if wrong else 'PASS'}: {name}: every line and branch is tested or has a reason")
    print(f"{'FAIL' if unused else 'PASS'}: every exception is needed")
    sys.exit(1 if missing or unused else 0)


main()
