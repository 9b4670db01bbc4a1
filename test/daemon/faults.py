# SPDX-License-Identifier: MIT
"""Faults of the catalogue (test/fault/catalogue.txt) that concern the daemon, QMP and the page file.
Each test gets a Bench with three VMs that has not been started; the sum of what the VMs have or were
asked to have is looked at by the played QEMUs' own books, not by poised's."""
import os
import signal
import socket
import subprocess
import time

from bench import MIB, Failure, expect, wait

POOL = 384 * MIB
MIN = 32 * MIB


def quiet(bench, ticks=10):
    """Nobody is in debt, and nobody has been moved for so many ticks."""
    def targets():
        return [peer.get()["target"] for peer in bench.peers.values() if peer.pid]

    def still():
        before = targets()
        bench.wait_ticks(ticks)
        return before == targets() and bench.status()["free"] >= 0 and claimed(bench) <= POOL

    wait(still, "nobody is moved any more")


def settled(bench, **options):
    """Three VMs, all managed, nobody in debt."""
    for name in bench.names:
        bench.peer(name, **options)
    bench.start()
    bench.wait_managed()
    quiet(bench)


def claimed(bench):
    """What the VMs have or may take, whichever is more, by their own books. The daemon stands still
    meanwhile, so that nothing is counted in two places."""
    with bench.standing_still():
        bench.seen = {name: peer.get() for name, peer in bench.peers.items() if peer.pid}
        return sum(max(state["actual"], state["target"]) for state in bench.seen.values())


def serves(bench, name, need):
    """That VM asks for memory and gets it: the daemon works for it."""
    before = bench.peers[name].get()["actual"]
    bench.peers[name].set(need=need)
    wait(lambda: bench.peers[name].get()["actual"] > before + 4 * MIB, name + " is served")
    expect(claimed(bench) <= POOL, "more than the pool has been given")


def f05_page_scribbled_over(bench):
    settled(bench)
    a = bench.peers["a"]
    a.set(driver=False)
    before = bench.status()["ticks"]
    while bench.status()["ticks"] < before + 30:
        with open(bench.folder + "/a.page", "r+b") as file:
            file.write(os.urandom(8192))
        charged = bench.vm("a")["charged"]
        expect(MIN <= charged <= 65536, "charged for %d pages" % charged)
    wait(lambda: bench.status()["errors"].get("MAGIC", 0) + bench.status()["errors"].get("TORN", 0),
         "bad pages are counted")
    serves(bench, "b", 45000)
    with open(bench.folder + "/a.page", "r+b") as file:
        file.write(bytes(8192))
    a.do("reset_page")
    a.set(driver=True)
    bench.wait_vm("a", lambda vm: vm["source"] == "page" and vm["state"] == "managed", "again")


def f25_page_file_cut_off(bench):
    settled(bench)
    path = bench.folder + "/a.page"
    bench.peers["a"].set(driver=False)
    os.truncate(path, 0)
    vm = bench.wait_vm("a", lambda vm: "page" in vm["alarms"], "page alarm")
    expect("cut off" in vm["detail"] or "shorter" in vm["detail"], vm["detail"])
    bench.wait_vm("a", lambda vm: vm["source"] != "page", "another source, or none")
    serves(bench, "b", 45000)
    # A new QEMU makes it anew, and all is well again.
    bench.peers["a"].do("reset_page")
    os.truncate(path, 8192)
    bench.peers["a"].set(driver=True)
    bench.wait_vm("a", lambda vm: vm["source"] == "page" and not vm["alarms"], "page again")


def f25_page_file_cut_off_and_back_all_the_time(bench):
    settled(bench)
    path = bench.folder + "/a.page"
    bench.peers["a"].set(driver=False)
    before = bench.status()["ticks"]
    count = 0
    while bench.status()["ticks"] < before + 20:
        for _ in range(50):
            os.truncate(path, 0)
            os.truncate(path, 8192)
        count += 1
    expect(count > 1, "not often enough to mean anything")
    serves(bench, "b", 45000)


def f25_page_file_is_something_else(bench):
    a, b, c = (bench.folder + "/%s.page" % n for n in "abc")
    for name in "abc":
        bench.peer(name, driver=False)
    os.unlink(a)
    os.mkfifo(a)
    os.unlink(b)
    os.symlink("/etc/passwd", b)
    os.truncate(c, 4096)
    bench.start()
    for name in "abc":
        bench.wait_vm(name, lambda vm: "page" in vm["alarms"], "page alarm")
    expect("not a regular file" in bench.vm("a")["detail"], bench.vm("a")["detail"])
    expect("8192" in bench.vm("c")["detail"], bench.vm("c")["detail"])


def f40_inflated_but_not_freed(bench):
    settled(bench)
    bench.peers["a"].do(["hog", 60000])
    bench.wait_vm("a", lambda vm: "not-freed" in vm["alarms"] and vm["charged"] > 40000 and
                  "process holds" in vm["detail"], "alarm, and charged for what it holds")


def f41_balloon_command_never_answered(bench):
    settled(bench)
    bench.peers["a"].set(mute=["balloon"], need=50000)
    bench.wait_vm("a", lambda vm: "down" in vm["alarms"], "alarm after the deadline")
    serves(bench, "b", 30000)
    before = bench.peers["a"].get()["count"]
    bench.wait_ticks(10)
    more = bench.peers["a"].get()["count"] - before
    expect(more <= 2, "%d requests to a QEMU that does not answer" % more)
    # After a while it is connected to anew, and served.
    bench.peers["a"].set(mute=[])
    bench.wait_vm("a", lambda vm: not vm["alarms"], "no alarm")


def f43_vm_dies_with_a_request_under_way(bench):
    settled(bench)
    bench.peers["a"].set(rate=1, need=50000)
    bench.wait_vm("a", lambda vm: vm["target"] > vm["actual"] + 1000, "a growth under way")
    bench.peers["a"].kill()
    wait(lambda: not bench.vm("a")["running"], "gone")
    expect(bench.vm("a")["charged"] == 0, "a dead VM is charged")
    serves(bench, "b", 55000)
    # A new one in its slot begins from the beginning.
    bench.peer("a")
    vm = bench.wait_vm("a", lambda vm: vm["state"] == "managed", "managed")
    expect(vm["starts"] == 2, "%d starts" % vm["starts"])
    log = bench.peers["a"].get()["log"]
    first = next(line for line in log if line.startswith("balloon"))
    expect(log.index("query-balloon") < log.index(first), "asked before it was measured")
    expect(first == "balloon 65536", "first request of a new VM: " + first)


def f48_restored_into_a_new_qemu(bench):
    settled(bench)
    bench.peers["a"].kill()
    wait(lambda: not bench.vm("a")["running"], "gone")
    a = bench.peer("a", status="inmigrate")
    wait(lambda: bench.vm("a")["backend"] == "incoming", "seen as incoming")
    expect(not bench.vm("a")["running"], "not a VM yet")
    a.set(status="running")
    a.do(["event", "RESUME"])
    bench.wait_vm("a", lambda vm: vm["running"] and vm["state"] == "managed", "managed")


def f30_paused_before_the_start(bench):
    bench.peer("a", status="paused")
    bench.peer("b")
    bench.start()
    bench.wait_managed("b")
    bench.wait_vm("a", lambda vm: vm["running"] and vm["paused"] and vm["state"] == "frozen",
                  "frozen from the beginning")
    bench.peers["a"].set(status="running")
    bench.peers["a"].do(["event", "RESUME"])
    bench.wait_vm("a", lambda vm: vm["state"] == "managed", "managed")


def f48_target_again_after_resume(bench):
    settled(bench)
    a = bench.peers["a"]
    a.set(status="paused")
    a.do(["event", "STOP"])
    bench.wait_vm("a", lambda vm: vm["state"] == "frozen" and vm["paused"], "frozen")
    target = bench.vm("a")["target"]
    count = a.get()["count"]
    a.set(status="running")
    a.do(["event", "RESUME"])
    wait(lambda: any(line == "balloon %d" % target
                     for line in a.get()["log"][-(a.get()["count"] - count):]), "asked again")
    bench.wait_vm("a", lambda vm: vm["state"] == "managed", "managed")


def f50_killed_at_every_step(bench):
    settled(bench, rate=512)
    needs = {"a": 50000, "b": 20000, "c": 16384}
    deaths = 0
    for step in range(1, 13):
        # Memory moves from one to the next; the daemon dies after so many requests to the first.
        needs = {"a": needs["c"], "b": needs["a"], "c": needs["b"]}
        for name, need in needs.items():
            bench.peers[name].set(need=need)
        grown = max(needs, key=needs.get)
        before = sum(p.get()["count"] for p in bench.peers.values())
        wait(lambda: sum(p.get()["count"] for p in bench.peers.values()) >= before + step * 3,
             "%d requests" % step)
        bench.kill()
        deaths += 1
        expect(claimed(bench) <= POOL, "more than the pool before the restart")
        bench.start()
        while not all(bench.vm(name)["running"] for name in bench.names):
            expect(claimed(bench) <= POOL, "more than the pool while it starts")
        for name in bench.names:
            vm = bench.vm(name)
            expect(vm["charged"] >= min(bench.peers[name].get()["actual"], vm["max"]) - 512,
                   "%s is charged less than it has" % name)
        bench.wait_managed()
        for _ in range(5):
            expect(claimed(bench) <= POOL, "more than the pool after the restart: %s" %
                   [(n, s["actual"], s["target"], s["log"][-12:]) for n, s in bench.seen.items()])
            expect(all(p.get()["actual"] >= MIN for p in bench.peers.values()), "below min")
            bench.wait_ticks(1)
        expect(grown in needs, "")
    expect(deaths == 12, "%d deaths" % deaths)


def f51_second_daemon_refuses(bench):
    settled(bench)
    second = subprocess.run([bench.binary, "--config", bench.conf], capture_output=True, timeout=30)
    expect(second.returncode == 1, "exit %d" % second.returncode)
    expect(b"another poised is running" in second.stderr, second.stderr.decode())
    serves(bench, "b", 45000)  # The first one's socket is still its own.


def f51_second_daemon_with_another_lock(bench):
    settled(bench)
    with open(bench.conf) as file:
        text = file.read().replace("/lock", "/lock2").replace("/control", "/control2")
    other = bench.folder + "/other.conf"
    with open(other, "w") as file:
        file.write(text)
    for name in bench.names:  # so that the first one moves nobody either
        bench.request(do="freeze", vm=name)
        bench.wait_vm(name, lambda vm: vm["state"] == "frozen", "frozen")
    bench.wait_ticks(3)
    before = [peer.get()["target"] for peer in bench.peers.values()]
    log = open(bench.folder + "/other.log", "wb")
    second = subprocess.Popen([bench.binary, "--config", other], stderr=log)
    try:
        wait(lambda: b"another poised uses it" in open(bench.folder + "/other.log", "rb").read(),
             "the page file's lock is seen")
        bench.wait_ticks(10)
        expect(before == [peer.get()["target"] for peer in bench.peers.values()],
               "the second one has moved somebody")
    finally:
        second.terminate()
        second.wait()
        log.close()


def f56_closed_in_the_middle_of_an_answer(bench):
    settled(bench)
    for verb in ("query-balloon", "balloon", "query-status"):
        bench.peers["a"].set(half=verb, need=50000 if verb == "balloon" else 16384)
        if verb == "query-status":
            bench.peers["a"].do(["event", "RESUME"])
        wait(lambda: bench.peers["a"].get()["client"] is False or
             "connection closed" in bench.vm("a")["detail"], "closed")
        vm = bench.vm("a")
        expect(vm["running"] and vm["charged"] > 0, "a VM whose process lives is not gone")
        bench.wait_vm("a", lambda vm: not vm["alarms"] and vm["backend"] == "ready", "back")
    serves(bench, "b", 40000)
    expect(bench.vm("a")["starts"] == 1, "taken for a new VM")


def f56_request_lost_with_the_connection_is_made_again(bench):
    settled(bench)
    a = bench.peers["a"]
    a.set(mute=["balloon"], need=50000)
    bench.wait_vm("a", lambda vm: vm["target"] > vm["actual"] + 1000, "asked for more")
    target = bench.vm("a")["target"]
    expect(bench.vm("a")["charged"] >= target, "a growth that may have arrived is charged")
    a.do("hang_up")
    a.set(mute=[])
    bench.wait_vm("a", lambda vm: vm["actual"] >= min(target, vm["target"]), "made again")


def f56_socket_gone_and_back(bench):
    settled(bench)
    bench.peers["a"].set(listens=False)
    vm = bench.wait_vm("a", lambda vm: "down" in vm["alarms"], "down")
    bench.wait_ticks(10)
    expect(bench.vm("a")["charged"] == vm["charged"], "the charge of a living VM has changed")
    bench.peers["a"].set(listens=True)
    bench.wait_vm("a", lambda vm: not vm["alarms"], "back")
    bench.wait_managed("a")


def f57_no_greeting(bench):
    bench.peer("a", greets=False)
    bench.peer("b")
    bench.peer("c")
    bench.start()
    bench.wait_managed("b", "c")
    vm = bench.wait_vm("a", lambda vm: "down" in vm["alarms"], "down")
    expect("no greeting" in vm["detail"], vm["detail"])
    expect(vm["charged"] >= 128 * MIB, "a VM that is there is charged for its static share")
    expect(bench.peers["a"].get()["count"] == 0, "talked to")
    bench.peers["a"].set(greets=True)
    bench.wait_vm("a", lambda vm: vm["state"] == "managed", "managed at last")


def f57_capabilities_refused(bench):
    bench.peer("a", fail={"qmp_capabilities": "CommandNotFound"})
    bench.peer("b")
    bench.start()
    bench.wait_managed("b")
    wait(lambda: "refused" in bench.vm("a")["detail"], "said so")
    before = bench.peers["a"].get()["count"]
    time.sleep(1)
    more = bench.peers["a"].get()["count"] - before
    expect(more <= 3, "%d attempts in a second" % more)


def f57_other_client_connected(bench):
    a = bench.peer("a", driver=False)
    bench.peer("b")
    other = socket.socket(socket.AF_UNIX)
    other.connect(a.options["qmp"])
    wait(lambda: a.get()["client"], "the other one is connected")
    bench.start()
    bench.wait_managed("b")
    bench.wait_vm("a", lambda vm: "no greeting" in vm["detail"], "waits")
    other.close()
    bench.wait_vm("a", lambda vm: vm["backend"] == "ready", "its turn")


NOISE = [
    ("brackets", "[" * 10000 + "\n", 1),
    ("objects", '{"a":' * 10000 + "\n", 1),
    ("zero bytes", "\0\0\0\n", 3),
    ("truncated UTF-8", '{"event": "\xe2\x82\n', 1),
    ("no JSON", "hello\n", 5),
    ("empty lines", "\n", 100),
    ("a number", "42\n", 1),
    ("null", "null\n", 1),
    ("an array", '[{"return": {}}]\n', 1),
    ("duplicate keys", '{"event": "RESET", "event": "STOP"}\n', 1),
    ("event without a name", '{"event": 7}\n', 1),
    ("error without a class", '{"error": 7, "id": 33}\n', 1),
    ("escapes", '{"event": "\\ud800", "data": "\\u0000"}\n', 1),
]


def f58_malformed_lines(bench):
    settled(bench)
    for what, line, times in NOISE:
        bench.peers["a"].do(["raw", line, times])
        bench.wait_ticks(2)
        vm = bench.vm("a")
        expect(vm["running"] and vm["starts"] == 1 and vm["restarts"] == 0, what)
    bench.wait_vm("a", lambda vm: vm["backend"] == "ready", "in order again")
    serves(bench, "a", 50000)


def f58_malformed_answers(bench):
    settled(bench)
    a = bench.peers["a"]
    actual = bench.vm("a")["actual"]
    for answer in ('{"return": [], "id": $ID}', '{"return": 5, "id": $ID}', '{"return": null, "id": $ID}',
                   '{"return": {"actual": {}}, "id": $ID}', '{"id": $ID}', '{"return": {"act'):
        a.set(garble={"query-balloon": answer + "\r\n"})
        bench.wait_ticks(3)
        expect(bench.vm("a")["actual"] == actual, "%s has changed the size" % answer)
    a.set(garble={})
    # What never got a right answer ends with a new connection.
    bench.wait_vm("a", lambda vm: not vm["alarms"] and vm["backend"] == "ready", "in order again")


def f58_endless_line(bench):
    settled(bench)
    size = memory(bench)
    bench.peers["a"].do(["raw", "x" * 65536, 1600])  # 100 MiB without a newline
    wait(lambda: "too long" in bench.log() or "too long" in bench.vm("a")["detail"] or
         bench.vm("a")["backend"] == "ready", "the line has ended")
    expect(memory(bench) < size + 64 * 1024, "memory has grown by %d KiB" % (memory(bench) - size))
    bench.wait_vm("a", lambda vm: vm["backend"] == "ready", "in order again")
    serves(bench, "b", 40000)


def memory(bench):
    """Resident KiB of the daemon."""
    with open("/proc/%d/status" % bench.process.pid) as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def f59_events_between_and_answers_in_another_order(bench):
    bench.peer("a", shuffle=True)
    bench.peer("b", slow=True)
    bench.peer("c")
    bench.start()
    bench.wait_managed("b", "c")
    bench.wait_vm("a", lambda vm: vm["state"] == "managed" and not vm["alarms"], "managed")
    quiet(bench)
    serves(bench, "a", 50000)


def f59_storm_of_events(bench):
    settled(bench)
    storm = '{"event": "RTC_CHANGE", "data": {"offset": 1}}\r\n'
    size = memory(bench)
    for _ in range(40):
        bench.peers["a"].do(["raw", storm, 5000])
    serves(bench, "b", 40000)
    expect(memory(bench) < size + 64 * 1024, "memory has grown")
    bench.wait_vm("a", lambda vm: vm["backend"] == "ready" and not vm["alarms"], "through")


def f59_answers_without_an_id(bench):
    settled(bench)
    actual = bench.vm("a")["actual"]
    bench.peers["a"].set(no_id=True)
    bench.wait_vm("a", lambda vm: "down" in vm["alarms"], "no answer to any request")
    expect(bench.vm("a")["actual"] == actual, "the size has changed")
    serves(bench, "b", 40000)


def f60_numbers_that_are_none(bench):
    settled(bench)
    actual = bench.vm("a")["actual"]
    for number in ("0", "-1", "-4096", "1.5", "1e400", '"4096"', "true", "null", "4095",
                   "9223372036854775808", "18446744073709551615", "99999999999999999999999",
                   '4096, "actual": 8192', "NaN", "0x1000"):
        text = '{"return": {"actual": %s}, "id": $ID}\r\n' % number
        bench.peers["a"].set(garble={"query-balloon": text})
        bench.peers["a"].do(["raw", '{"event": "BALLOON_CHANGE", "data": {"actual": %s}}\r\n'
                             % number, 1])
        bench.wait_ticks(3)
        vm = bench.vm("a")
        expect(vm["actual"] == actual, "%s became %d pages" % (number, vm["actual"]))
    bench.peers["a"].set(garble={})
    bench.wait_vm("a", lambda vm: not vm["alarms"] and vm["backend"] == "ready", "in order again")


def f61_no_balloon(bench):
    bench.peer("a", fail={"query-balloon": "DeviceNotActive"})
    bench.peer("b", fail={"query-balloon": "KVMMissingCap"})
    bench.peer("c")
    bench.start()
    for name in "ab":
        vm = bench.wait_vm(name, lambda vm: "refused" in vm["alarms"] and vm["running"], "refused")
        expect(vm["charged"] == 65536, "charged for what it booted with")
        expect(vm["state"] == "unmanaged", vm["state"])
    before = bench.peers["a"].get()["count"]
    bench.wait_ticks(10)
    expect(bench.peers["a"].get()["count"] == before, "asked again at every tick")


def f61_balloon_unplugged_later(bench):
    settled(bench)
    bench.peers["a"].set(fail={"query-balloon": "DeviceNotActive", "balloon": "DeviceNotActive"})
    bench.wait_vm("a", lambda vm: "refused" in vm["alarms"] and vm["charged"] == 65536,
                  "refused, and charged for all that it can have")


def f61_generic_errors_pass(bench):
    settled(bench)
    bench.peers["a"].set(fail={"query-balloon": "GenericError"})
    bench.wait_ticks(10)
    expect("refused" not in bench.vm("a")["alarms"], "given up for an error of the moment")
    bench.peers["a"].set(fail={})
    serves(bench, "a", 50000)


def f62_qemu_stopped(bench):
    settled(bench)
    bench.peers["a"].stop()
    bench.wait_vm("a", lambda vm: "down" in vm["alarms"] and vm["state"] == "frozen",
                  "down and frozen")
    before = bench.vm("a")
    bench.peers["b"].set(need=32000)
    bench.wait_vm("b", lambda vm: vm["actual"] > 33000, "served meanwhile")
    expect(bench.vm("a")["charged"] == before["charged"], "a stopped VM is not moved")
    ticks = bench.status()["ticks"]
    start = time.monotonic()
    bench.wait_ticks(20)
    spent = time.monotonic() - start
    expect(spent < 10, "%d ticks took %.1f s" % (bench.status()["ticks"] - ticks, spent))
    bench.peers["a"].go_on()
    bench.wait_vm("a", lambda vm: not vm["alarms"] and vm["state"] == "managed", "goes on")
    expect(claimed(bench) <= POOL, "more than the pool has been given")


def f62_qemu_stopped_before_the_start(bench):
    a = bench.peer("a")
    bench.peer("b")
    a.stop()
    bench.start()
    bench.wait_managed("b")
    vm = bench.wait_vm("a", lambda vm: "down" in vm["alarms"], "down")
    expect(vm["charged"] >= 128 * MIB, "charged for its static share")
    a.go_on()
    bench.wait_vm("a", lambda vm: vm["state"] == "managed", "managed")


def f30_driver_unloaded_falls_back(bench):
    settled(bench)
    bench.peers["a"].set(driver=False)
    bench.wait_vm("a", lambda vm: vm["source"] == "stats", "virtio-balloon's statistics")
    bench.wait_vm("a", lambda vm: vm["state"] == "managed", "managed by them")
    # And back, as soon as the driver is there again.
    bench.peers["a"].do("reset_page")
    bench.peers["a"].set(driver=True)
    bench.wait_vm("a", lambda vm: vm["source"] == "page" and vm["state"] == "managed", "the page")


def f45_guest_resets_while_ballooned(bench):
    settled(bench)
    bench.peers["b"].set(need=50000)
    bench.wait_vm("a", lambda vm: vm["actual"] < 128 * MIB, "a has given memory away")
    bench.peers["a"].do("reset")
    vm = bench.wait_vm("a", lambda vm: vm["restarts"] >= 1, "restarted")
    expect(vm["charged"] >= 128 * MIB, "charged at its boot size on the spot")
    bench.wait_vm("a", lambda vm: vm["state"] == "managed", "managed anew")
    wait(lambda: bench.status()["free"] >= 0 and claimed(bench) <= POOL, "the debt is repaid")
    for name, peer in bench.peers.items():
        expect(peer.get()["actual"] >= MIN, name + " is below its reservation")


TESTS = [value for name, value in sorted(globals().items())
         if name[0] == "f" and name[1:3].isdigit() and callable(value)]
assert Failure and signal
