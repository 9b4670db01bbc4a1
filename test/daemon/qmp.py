# SPDX-License-Identifier: MIT
"""Faults of the catalogue (test/fault/catalogue.txt) that concern QMP: what a QEMU says, does not say,
or says too late."""
import socket
import time

from bench import MIB, POOL, claimed, expect, quiet, serves, settled, wait
from peer import Relay


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


def write_pid(bench):
    with open(bench.folder + "/a.pid", "w") as file:
        file.write("%d\n" % bench.peers["a"].pid)


def behind_a_relay(bench):
    """All are managed. VM a's QEMU is reached through a relay, which is returned; its own process stands
    in a file."""
    with open(bench.conf) as file:
        text = file.read()
    here = bench.folder + "/a."
    with open(bench.conf, "w") as file:
        file.write(text.replace('qmp = "%sqmp";' % here,
                                'qmp = "%srelay"; pid_file = "%spid";' % (here, here)))
    for name in bench.names:
        bench.peer(name)
    write_pid(bench)
    relay = Relay(here + "relay", here + "qmp")
    try:
        bench.start()
        bench.wait_managed()
        quiet(bench)
    except BaseException:
        relay.kill()
        raise
    return relay


def f56_relay_cut_and_back(bench):
    relay = behind_a_relay(bench)
    try:
        vm = bench.vm("a")
        relay.kill()
        bench.wait_vm("a", lambda vm: vm["alarms"] == ["down"], "down")
        bench.wait_ticks(10)
        expect(bench.vm("a")["charged"] == vm["charged"], "the charge of a living VM has changed")
        relay.start()
        bench.wait_vm("a", lambda vm: not vm["alarms"] and vm["backend"] == "ready", "back")
        expect(bench.vm("a")["starts"] == 1, "taken for a new VM")
        serves(bench, "a", 40000)
    finally:
        relay.kill()


def f56_relay_without_its_qemu(bench):
    relay = behind_a_relay(bench)
    try:
        bench.peers["a"].kill()
        bench.wait_vm("a", lambda vm: not vm["running"], "gone with its process")
        # Somebody still listens where its socket was. Nobody is at home: others can have the memory.
        end = bench.status()["ticks"] + 50
        while bench.status()["ticks"] < end:
            expect(bench.vm("a")["backend"] == "not running", "the relay was taken for a VM")
        serves(bench, "b", 60000)
        bench.peer("a")
        write_pid(bench)
        bench.wait_vm("a", lambda vm: vm["running"] and vm["starts"] == 2, "there again")
    finally:
        relay.kill()


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
    bench.wait_vm("a", lambda vm: vm["running"] and vm["charged"] == vm["max"] and
                  "down" in vm["alarms"], "charged without its word")
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
    mistakes = 0
    for what, line, times in NOISE:
        bench.peers["a"].do(["raw", line, times])
        bench.wait_ticks(2)
        vm = bench.vm("a")
        expect(vm["running"] and vm["starts"] == 1 and vm["restarts"] == 0, what)
        expect(vm["mistakes"] > mistakes, what + " was not counted")
        mistakes = vm["mistakes"]
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
    # It is refused; the next connection waits until the peer has come to the end of it.
    wait(lambda: "poised: a: down: " in bench.log(), "the connection is given up")
    expect(memory(bench) < size + 64 * 1024, "memory has grown by %d KiB" % (memory(bench) - size))
    bench.wait_vm("a", lambda vm: vm["backend"] == "ready", "in order again")
    serves(bench, "b", 40000)


# So long that only the refusal can end the connection.
f58_endless_line.bench = {"deadline_ms": 600000}


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


TESTS = [value for name, value in sorted(globals().items())
         if name[0] == "f" and name[1:3].isdigit() and callable(value)]
