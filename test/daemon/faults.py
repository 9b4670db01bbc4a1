# SPDX-License-Identifier: MIT
"""Faults of the catalogue (test/fault/catalogue.txt) that concern the daemon, a VM's life and its page
file; those of QMP are in qmp.py. Each test gets a Bench with three VMs that has not been started."""
import os
import subprocess

from bench import MIN, POOL, MIB, claimed, expect, quiet, serves, settled, wait


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


def f41_nothing_answered_from_the_start(bench):
    bench.peer("a", mute=["balloon"])
    bench.peer("b", mute=["query-memory-size-summary"])
    bench.peer("c")
    bench.start()
    for name in "ab":
        bench.wait_vm(name, lambda vm: vm["running"] and "down" in vm["alarms"] and
                      vm["charged"] == vm["max"], "charged without its word")
    bench.wait_managed("c")
    for name in "ab":
        bench.peers[name].set(mute=[])
    bench.wait_managed()
    quiet(bench)


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
