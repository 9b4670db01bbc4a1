#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What earlier work defines, computed a second time in another language, against poise-sim's JSON.

    reference.py POISE-SIM

lru: Wu, Wu and Zhang (2011), on random lists. predict: equations (1) to (3) of Kim et al. (2014), on
all recorded traces. One PASS or FAIL line each.
"""

import csv
import glob
import json
import random
import subprocess
import sys
import tempfile

SEED = 5
LISTS = 200
NEAR_MS = 125


def ask(sim, *arguments):
    done = subprocess.run([sim, *arguments], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


# --- lru ---


class Frame:
    def __init__(self):
        self.page = None


class Vms:
    """All VMs' frames, each list from the newest to the oldest."""

    def __init__(self, frames, lists):
        run = -(-frames // len(lists))
        self.lists = lists
        self.frames = []
        for i in range(len(lists)):
            rest = frames - sum(len(f) for f in self.frames)
            count = min(run, rest - (len(lists) - 1 - i))
            self.frames.append([Frame() for _ in range(count)])
        self.missed = [[] for _ in lists]

    def access(self, vm, at):
        frames, page = self.frames[vm], self.lists[vm][at]
        found = [f for f in frames if f.page == page]
        frame = found[0] if found else frames[-1]
        self.missed[vm].append(int(not found and frame.page is not None))
        frames.remove(frame)
        frame.page = page
        frames.insert(0, frame)

    def take(self, vm):
        frame = self.frames[vm].pop()
        frame.page = None
        return frame

    def recent(self, at, every):
        if (at + 1) % every != 0:
            return
        window = [sum(m[at + 1 - every:at + 1]) for m in self.missed]
        order = sorted(range(len(self.lists)), key=lambda vm: window[vm])
        low, high = 0, len(order) - 1
        while low < high and window[order[low]] != window[order[high]]:
            if len(self.frames[order[low]]) > 1:
                self.frames[order[high]].append(self.take(order[low]))
            low, high = low + 1, high - 1

    def total(self, minimum):
        bonus = sum(len(f) for f in self.frames) - minimum * len(self.lists)
        misses = [sum(m) for m in self.missed]
        if sum(misses) == 0:
            return
        size = [minimum + m * bonus // sum(misses) for m in misses]
        left = bonus + minimum * len(size) - sum(size)
        order = sorted(range(len(size)), key=lambda vm: -(misses[vm] * bonus % sum(misses)))
        for vm in order[:left]:
            size[vm] += 1
        pool = []
        for vm, frames in enumerate(self.frames):
            while len(frames) > size[vm]:
                pool.append(self.take(vm))
        for vm, frames in enumerate(self.frames):
            while len(frames) < size[vm]:
                frames.append(pool.pop())


def lru(frames, lists, strategy, every, minimum):
    vms = Vms(frames, lists)
    for at in range(len(lists[0])):
        for vm in range(len(lists)):
            vms.access(vm, at)
        if strategy == "recent":
            vms.recent(at, every)
        elif strategy == "total":
            vms.total(minimum)
    return vms.missed


def check_lru(sim):
    rng = random.Random(SEED)
    for turn in range(LISTS):
        count, length = rng.randint(1, 6), rng.randint(1, 60)
        frames, every, minimum = rng.randint(2 * count, 40), rng.randint(1, 8), rng.randint(1, 2)
        pages = [rng.choice([2, 6, 15]) for _ in range(count)]
        lists = [[rng.randint(0, p) for _ in range(length)] for p in pages]
        strategy = ("static", "recent", "total")[turn % 3]
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            print(count, file=file)
            for numbers in lists:
                print(length, *numbers, file=file)
            file.flush()
            name = f"recent:{every}" if strategy == "recent" else strategy
            found = ask(sim, "lru", "--frames", str(frames), "--strategy", name,
                        "--min", str(minimum), "--json", file.name)
        expected = lru(frames, lists, strategy, every, minimum)
        if [vm["sequence"] for vm in found["vms"]] != expected:
            return f"{name}, {frames} frames, minimum {minimum}: {lists}"
        if found["all"]["missed"] != sum(map(sum, expected)):
            return f"{name}: all misses"
    return None


# --- predict ---

LISTED = ("active_anon", "inactive_anon", "active_file", "inactive_file", "unevictable")


def read_trace(path):
    with open(path, encoding="ascii") as file:
        lines = file.readlines()
    notes = dict(line[2:].strip().split(": ", 1) for line in lines
                 if line.startswith("# ") and ": " in line)
    rows = [{key: int(value or 0) for key, value in row.items()}
            for row in csv.DictReader(line for line in lines if not line.startswith("#"))]
    limit = notes.get("limit_pages", "0")
    most = max(sum(row[key] for key in LISTED) for row in rows)
    total = int(limit) if limit.isdigit() and limit != "0" else max(
        int(notes.get("max_usage_pages", 0)), most)
    return rows, total


def in_use(row, basis):
    active = row["active_file"] + row["active_anon"] + row["swap_used"]
    return active + (row["inactive_anon"] if basis == "resident" else 0)


def predict(rows, total, alpha, basis):
    result, before, second = [], rows[0], 1
    for row in rows[1:]:
        t_ms = row["t_ms"] - rows[0]["t_ms"]
        if t_ms + NEAR_MS < second * 1000:
            continue
        second = (t_ms + NEAR_MS) // 1000 + 1
        dm = in_use(row, basis) - in_use(before, basis)
        delta = alpha * dm + (1 - alpha) * result[-1]["delta"] if result else dm
        free = total - sum(row[key] for key in LISTED)
        result.append({"t_ms": row["t_ms"], "dm": dm, "delta": delta,
                       "r": row["inactive_file"] + free - total / 10})
        before = row
    off = [a["delta"] - b["dm"] for a, b in zip(result, result[1:])]
    over = sum(max(o, 0) for o in off) / len(off)
    under = sum(max(-o, 0) for o in off) / len(off)
    return {"alpha": alpha, "rows": result,
            "error": {"mean_abs": over + under, "over": over, "under": under}}


def near(found, expected):
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(near(found[k], expected[k]) for k in expected)
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(near, found, expected))
    return abs(found - expected) <= 1e-6 * max(1, abs(expected))


def check_predict(sim):
    traces = sorted(glob.glob("test/traces/*.csv"))
    for path in traces:
        rows, total = read_trace(path)
        for basis in ("paper", "resident"):
            for alpha in (0.25, 0.75):
                found = ask(sim, "predict", "--alpha", str(alpha), "--basis", basis, "--json", path)
                if not near(found, predict(rows, total, alpha, basis)):
                    return f"{path}, alpha {alpha}, basis {basis}"
    return None if traces else "no traces"


def main():
    failed = 0
    for name, check in (("lru", check_lru), ("predict", check_predict)):
        wrong = check(sys.argv[1])
        failed += wrong is not None
        print(f"PASS: reference: {name}" if wrong is None else f"FAIL: reference: {name}: {wrong}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
