#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""poise-agent as a program: what it publishes of this machine, and what it refuses.

    test.py AGENT
"""
import os
import struct
import subprocess
import sys
import tempfile

AGENT = sys.argv[1]
TOTAL = 0x70
failed = False


def check(what, right, *more):
    global failed
    print(("PASS: " if right else "FAIL: ") + "agent: " + what, *([] if right else more))
    failed = failed or not right


def run(*words):
    return subprocess.run([AGENT, *words], capture_output=True, text=True, timeout=60)


def refused(what, words, reason):
    r = run(*words)
    check(what, r.returncode == 2 and r.stdout == "" and len(r.stderr.splitlines()) == 1 and reason in r.stderr,
          r.returncode, r.stderr)


with tempfile.TemporaryDirectory() as folder:
    page = os.path.join(folder, "page")

    def pages(size=8192, at=None, value=b""):
        with open(page, "wb") as f:
            f.truncate(size)
            if at is not None:
                f.seek(at)
                f.write(value)

    def content():
        with open(page, "rb") as f:
            return f.read()

    pages()
    r = run("--once", page)
    text = content()
    seq, magic = struct.unpack_from("<I", text, 0)[0], text[0x48:0x4c]
    sample, _, total, balloon, free = struct.unpack_from("<5Q", text, 0x60)
    check("publishes once", r.returncode == 0 and magic == b"POSG" and seq % 2 == 0 and sample == 1, r.stderr)
    with open("/proc/meminfo") as f:
        kib = int(f.readline().split()[1])
    check("this machine's memory", total == kib // 4 and balloon < total and 0 < free <= total, total, balloon, free)
    first = text[0x58:0x60]
    run("--once", page)
    check("another boot generation at each start", content()[0x58:0x60] != first)
    check("the host's page is left alone", content()[4096:] == bytes(4096))
    mib = kib // 1024 + 64
    run("--once", "--total", str(mib), page)
    check("a total that is given", struct.unpack_from("<Q", content(), TOTAL)[0] == mib * 256)
    check("--version", run("--version").stdout.startswith("poise-agent "))
    check("--help", "PAGES" in run("--help").stdout)

    refused("no pages", [], "usage")
    refused("two pages", [page, page], "usage")
    refused("an option that there is not", ["--loud", page], "loud")
    refused("a missing file", [folder + "/none"], "No such file")
    refused("a folder", [folder], "directory")
    refused("a device that has no pages", ["/dev/null"], "cannot be mapped")
    for total in ("", "x", "-5", "1e3", "0", "16777217", "99999999999999999999", "1"):
        refused(f"a total of '{total}'", ["--total", total, page], "--total")
    refused("a bell that there is not", ["--bell", folder + "/none", "--once", page], "No such file")
    pages(8191)
    refused("a short file", [page], "shorter")
    for at in (0x48, 4096 + 0x48):
        pages(at=at, value=b"other")
        before = content()
        refused(f"somebody else's pages (at {at})", ["--once", page], "something else")
        check("and nothing is written there", content() == before)
    os.unlink(page)
    os.mkfifo(page)
    refused("a pipe", [page], "neither")

sys.exit(1 if failed else 0)
