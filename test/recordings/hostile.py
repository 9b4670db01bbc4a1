#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the readers of recordings make of files that are none, in little memory; and of another
system's log. A PASS or FAIL line each.

	hostile.py POISE-SIM"""
import os
import random
import re
import resource
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = HERE + "/../.."
LIMIT_S = 120
MIB = 1 << 20
# No file may make a reader take more: far less than the longest line here.
MEMORY = 64 * MIB

sim = sys.argv[1]
random.seed(1)


class Wrong(Exception):
    pass


def expect(condition, text):
    if not condition:
        raise Wrong(text)


def run(words, data=b""):
    """Runs poise-sim in MEMORY of address space, with pieces of `data` as its standard input."""
    process = subprocess.Popen(
        [sim, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)))
    try:
        for piece in [data] if isinstance(data, bytes) else data:
            process.stdin.write(piece)
        process.stdin.close()
    except BrokenPipeError:
        pass  # It has seen enough.
    process.stdin = None
    out, err = process.communicate(timeout=LIMIT_S)
    return process.returncode, out.decode(), err.decode(errors="replace")


def refused(data, words, what):
    """Both readers refuse it: exit 2 and one printable line that names file, line and reason."""
    for command in ("replay", "series"):
        code, out, err = run([command, "/dev/stdin"], data)
        lines = err.splitlines()
        expect(code == 2 and len(lines) == 1 and lines[0].isprintable() and
               re.match(r"poise-sim: /dev/stdin:\d+: .*" + words, lines[0]),
               "%s of %s: exit %d: %s" % (command, what, code, err[:300]))


def survived(data, what):
    """It may be a recording or not: at any rate one line says so, and nothing breaks."""
    code, out, err = run(["replay", "/dev/stdin"], data)
    expect((code in (0, 1) and not err) or (code == 2 and len(err.splitlines()) == 1),
           "%s: exit %d: %s" % (what, code, err[:300]))
    return code


def recording():
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run([sim, "run", "--scenario", TOP + "/test/scenario/stuck.cfg", "--record",
                        file.name], check=True, stdout=subprocess.DEVNULL)
        with open(file.name, "rb") as made:
            lines = made.read().splitlines(keepends=True)
    # Up to a tick, so that all that a call has led to is there.
    ticks = [at for at, line in enumerate(lines) if b" tick " in line and at < 400]
    return lines[:ticks[-1]]


good = recording()
text = b"".join(good)
one_of_each = {line.split(b" ")[1]: (at, line) for at, line in enumerate(good) if line[0] != ord("#")}


def truncated_anywhere():
    for at in random.sample(range(len(text)), 60):
        if text[at - 1:at] == b"\n":
            survived(text[:at], "cut at %d" % at)
        else:
            refused(text[:at], "", "cut at %d" % at)
    refused(b"", "does not start with", "an empty file")


def reordered_lines():
    differs = 0
    for at in random.sample(range(2, len(good) - 1), 40):
        differs += survived(b"".join(good[:at] + [good[at + 1], good[at]] + good[at + 2:]),
                            "lines %d and %d" % (at + 1, at + 2)) != 0
    expect(differs > 10, "only %d of 40 were found out" % differs)


def reordered_keys():
    for at, line in one_of_each.values():
        words = line.split()
        if len(words) > 3:
            words[2], words[3] = words[3], words[2]
            refused(b"".join(good[:at]) + b" ".join(words) + b"\n", "", "keys of " + line[:20].decode())


def huge_numbers():
    for at, line in one_of_each.values():
        for found in re.finditer(rb"=-?\d+", line):
            worse = line[:found.start() + 1] + b"9" * 40 + line[found.end():]
            refused(b"".join(good[:at]) + worse, "is not a whole number", worse[:60].decode())


def unknown_names():
    for at, line in one_of_each.values():
        for found in re.finditer(rb"=[A-Za-z_]+", line):
            worse = line[:found.end()] + b"X" + line[found.end():]
            refused(b"".join(good[:at]) + worse, "X is not the (name|list)|X is not a list",
                    worse[:60].decode())
        refused(b"".join(good[:at]) + line.replace(b"\n", b" colour=1\n"), "colour=1", "a new key")
    refused(text + b"9 dance vm=1\n", 'no event is called "dance" in core', "a new event")


def line_ends_and_zero_bytes():
    refused(text.replace(b"\n", b"\r\n"), "CR LF", "CR LF")
    at = len(b"".join(good[:50]))
    refused(text[:at] + b"\r\n" + text[at:], "CR LF", "one CR LF")
    refused(text[:at] + b"\0" + text[at:], "a zero byte", "a zero byte")
    refused(b"\0" * 1000, "a zero byte", "zero bytes")
    refused(b"\xff\xfe" + text.decode().encode("utf-16-le"), "", "UTF-16")
    refused(b"\xef\xbb\xbf" + text, "does not start with", "a byte order mark")
    refused(random.randbytes(100000), "", "noise")


def samples_that_no_guest_can_have_reported():
    at, line = one_of_each[b"sample"]
    for key, value in ((b"total_pages", 2 ** 63 - 1), (b"balloon_pages", 2 ** 63 - 1), (b"free_pages", 2 ** 32),
                       (b"total_pages", 0), (b"sample", 0), (b"boot_id", 0)):
        worse = re.sub(rb" %s=\d+" % key, b" %s=%d" % (key, value), line)
        refused(b"".join(good[:at]) + worse, "no guest can have reported this: ", worse[:200].decode())


def lines_of_100_megabytes():
    piece = b"7" * MIB
    for start in (b"", good[0] + good[1], good[0] + b"# ", good[0] + good[1] + b"5 tick at="):
        refused([start] + [piece] * 100, "line too long", "a line of 100 MB")
    refused([text] + [b"# " + b"x" * 500 + b"\n"] * 200000 + [b"x\n"], "", "100 MB of comments")


def another_hypervisors_log_is_replayed():
    with tempfile.TemporaryDirectory() as folder:
        log, full = folder + "/log", folder + "/full"
        with open(log, "wb") as out:
            subprocess.run([HERE + "/convert.py", "500000", "460000",
                            TOP + "/test/traces/p_web_u.csv", TOP + "/test/traces/p_game_u.csv"],
                           check=True, stdout=out)
        code, out, err = run(["replay", "--inputs", "--record", full, log])
        expect(code == 0 and " 0 violations" in out, out + err)
        with open(full) as file:
            made = file.read()
        expect(made.count(" plan ") > 5 and made.count(" resize ") > 5, "nothing was decided")
        code, out, err = run(["replay", full])
        expect(code == 0 and "no difference" in out, out + err)


def another_core_is_named_first():
    """What a later core would find: the same file, another version, one decision changed."""
    with tempfile.NamedTemporaryFile(suffix=".rec") as file:
        at, line = next((i, l) for i, l in enumerate(good) if b" plan " in l)
        goal = int(line.rsplit(b"=", 1)[1])
        worse = [b"# poise-recording 2 core=0.1.9\n"] + good[1:]
        worse[at] = line.rsplit(b"=", 1)[0] + b"=%d\n" % (goal + 1)
        file.write(b"".join(worse))
        file.flush()
        code, out, err = run(["replay", file.name])
        lines = out.splitlines()
        expect(code == 1 and "recorded by core 0.1.9, replayed by " in lines[0], out + err)
        expect(lines[1].endswith(":%d: differs: goal of plan" % (at + 1)), out)
        expect(lines[2].startswith("  recorded: ") and " pages by rule " in lines[3] and
               lines[4].startswith("  now: ") and " pages by rule " in lines[5], out)


def another_rule_is_let_pass_if_only_sizes_count():
    at, line = next((i, l) for i, l in enumerate(good) if b" plan " in l)
    worse = list(good)
    worse[at] = re.sub(rb"rule=\w+", b"rule=BOUNDS", line)
    code, out, err = run(["replay", "/dev/stdin"], b"".join(worse))
    expect(code == 1 and "differs: rule of plan" in out, out + err)
    code, out, err = run(["replay", "--sizes", "/dev/stdin"], b"".join(worse))
    expect(code == 0 and "1 plans name another rule" in out and "no difference" in out, out + err)


def format_1_replays_where_it_is_unambiguous():
    old = text.decode().replace(good[0].decode(), "# poise-recording 1\n", 1)
    old = old.replace("policy=poise rules_off=-", "policy=0 rules_off=0")
    old = old.replace("basis=auto flags=-", "basis=0 flags=0")
    for number, name in enumerate(("absent", "unmanaged", "managed", "stale", "frozen",
                                   "quarantined")):
        old = re.sub(r"(from|to)=%s\b" % name, r"\1=%d" % number, old)
    code, out, err = run(["replay", "/dev/stdin"], old.encode())
    expect(code == 0 and "recorded by a core before 0.2.0" in out, out + err)
    refused(old.replace("rules_off=0", "rules_off=2048").encode(),
            "format 1 has rules by number", "format 1 with a rule switched off")


TESTS = [format_1_replays_where_it_is_unambiguous, truncated_anywhere, reordered_lines,
         reordered_keys, huge_numbers, unknown_names,
         line_ends_and_zero_bytes, samples_that_no_guest_can_have_reported,
         lines_of_100_megabytes, another_hypervisors_log_is_replayed,
         another_core_is_named_first, another_rule_is_let_pass_if_only_sizes_count]


def main():
    failed = 0
    for test in TESTS:
        try:
            test()
            print("PASS: recordings: %s" % test.__name__)
        except Wrong as wrong:
            failed += 1
            print("FAIL: recordings: %s: %s" % (test.__name__, wrong))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
