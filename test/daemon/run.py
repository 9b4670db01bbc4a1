#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the tests of poised and poisectl against played QEMUs; a PASS or FAIL line each.

	run.py POISED POISECTL POISE-SIM [NAME...]

Several at a time: they mostly wait. Each has a limit of its own in every wait, and one in all."""
import os
import signal
import sys
import traceback

import bench
import faults
import qmp
import service

AT_A_TIME = 8
LIMIT_S = 240


def play(test, programs):
    """In a process of its own; returns its exit status."""
    signal.alarm(LIMIT_S)
    poised, poisectl, sim = programs
    it = bench.Bench(poised, poisectl, **getattr(test, "bench", {}))
    it.sim = sim
    try:
        test(it)
        it.stop()
        return 0
    except bench.Failure as failure:
        print("%s: %s" % (test.__name__, failure))
    except Exception:  # A bug of the test is a failure, with its place.
        traceback.print_exc()
    finally:
        if it.process is not None:
            log = it.log()
            it.close()
        else:
            log = ""
            it.close()
    print("--- end of the log of %s\n%s" % (test.__name__, log[-3000:]))
    return 1


def main():
    programs = sys.argv[1:4]
    wanted = sys.argv[4:]
    tests = [t for t in service.TESTS + faults.TESTS + qmp.TESTS if not wanted or t.__name__ in wanted]
    running = {}
    failed = 0
    for test in tests + [None] * AT_A_TIME:
        if len(running) >= AT_A_TIME or (test is None and running):
            pid, status = os.wait()
            name = running.pop(pid)
            failed += status != 0
            print("%s: %s" % ("PASS" if status == 0 else "FAIL", name), flush=True)
        if test is not None:
            pid = os.fork()
            if pid == 0:
                status = 1
                try:
                    status = play(test, programs)
                finally:
                    sys.stdout.flush()
                    os._exit(status)
            running[pid] = test.__name__
    return 1 if failed or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
