#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes a recording out of another system's log, as port/record/README.md states the format: an
example to start from. Here the logs are the traces of test/traces, one a VM.

	convert.py POOL_PAGES VM_PAGES TRACE.csv... >OUT
	poise-sim replay --inputs OUT              what Poise would have decided

Each VM may have VM_PAGES at most, which has to be no less than it ever used, and starts with its part of the pool."""
import csv
import sys

# What such a log has (feature bits of ABI.md): anonymous pages start inactive, swap flow, refaults.
FEATURES = 0x01 | 0x08 | 0x10
LISTS = ("active_file", "inactive_file", "active_anon", "inactive_anon", "unevictable")
COUNTS = ("swap_out", "swap_in", "refault_anon", "refault_file")


def rows(path):
    """The log's rows as numbers, once a second; a value that is not there counts as 0."""
    with open(path, newline="") as file:
        due = 0
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            numbers = {key: int(float(value or 0)) for key, value in row.items()}
            if numbers["t_ms"] >= due:
                due = numbers["t_ms"] // 1000 * 1000 + 1000
                yield numbers


def sample(vm, count, total, row):
    """What a guest of `total` pages would have reported with that row."""
    used = sum(row[key] for key in LISTS)
    if used > total:
        sys.exit("convert.py: VM %d at %d ms: %d pages in use, more than it may have" % (vm, row["t_ms"], used))
    keys = {"boot_id": vm + 1, "features": FEATURES, "sample": count, "guest_ms": row["t_ms"],
            "total_pages": total, "free_pages": total - used}
    keys.update((key + "_pages", row[key]) for key in LISTS)
    keys["swap_used_pages"] = row["swap_used"]
    keys.update((key + "_pages", row[key]) for key in COUNTS)
    return "%d sample vm=%d " % (row["t_ms"], vm) + " ".join("%s=%d" % pair for pair in keys.items())


def main():
    pool, total = int(sys.argv[1]), int(sys.argv[2])
    logs = [list(rows(path)) for path in sys.argv[3:]]
    boot = pool // len(logs)
    print("# poise-recording 2 core=0.2.0")
    print("0 init pool_pages=%d" % pool)
    for vm in range(len(logs)):
        print("0 add vm=%d min_pages=%d boot_pages=%d max_pages=%d actual=%d" %
              (vm, boot // 4, boot, total, boot))
    for second in range(max(len(log) for log in logs)):
        now = 0
        for vm, log in enumerate(logs):
            if second < len(log):
                now = max(now, log[second]["t_ms"])
                print(sample(vm, second + 1, total, log[second]))
        print("%d tick at=%d" % (now, now))


if __name__ == "__main__":
    main()
