#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the guest model to what port/sim/README.md says of its error, on recordings that it was not fitted on.

    model.py POISE-SIM
"""

import json
import subprocess
import sys

MIB = 256  # pages


def near(model, measured, part, mib):
    """Is it within that part of what was measured, or within so many MiB?"""
    return abs(model - measured) <= max(part * measured, mib * MIB)


def main():
    made = subprocess.run(
        [sys.argv[1], "validate", "--json", "test/traces"], check=True, capture_output=True, text=True
    )
    failed = False
    checked = [row for row in json.loads(made.stdout) if not row["fitted"]]
    for row in checked:
        model, measured = row["simulated"], row["measured"]
        wrong = []
        if not near(model["swap_out"], measured["swap_out"], 0.20, 10):
            wrong.append("swap_out")
        if not near(model["swap_in"], measured["swap_in"], 1.0, 12):
            wrong.append("swap_in")
        if not near(model["refault_file"], measured["refault_file"], 0.25, 10):
            wrong.append("refault_file")
        print(f"{'FAIL' if wrong else 'PASS'}: {row['trace']}: {' '.join(wrong) or 'within its error'}")
        failed = failed or bool(wrong)
    if len(checked) < 6:
        print(f"FAIL: only {len(checked)} recordings to check with")
        failed = True
    return 1 if failed else 0


sys.exit(main())
