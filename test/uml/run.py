#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Two real guests of User-Mode Linux under poised: memory goes to the one that works, then to the other; one
is stopped, lies on its page, is rebooted and killed, and the other has what it had.

    run.py FOLDER POISED POISECTL AGENT SIM

Waits for conditions; what does not come in three minutes does not come.
"""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

OUT, POISED, POISECTL, AGENT, SIM = map(os.path.abspath, sys.argv[1:])
HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT_S = 180
MIB = 256  # pages
MAX_MIB, BOOT_MIB, MIN_MIB = 192, 144, 64
OVERHEAD = 24 * MIB
WORK_MIB = 140
failed = False


def check(what, right, *more):
    global failed
    print(("PASS: " if right else "FAIL: ") + "lab: " + what, *([] if right else more), flush=True)
    failed = failed or not right
    return right


def until(what, condition):
    """Waits for a condition; what it returned last is the reason of a failure."""
    end = time.monotonic() + LIMIT_S
    while True:
        got = condition()
        if got is True or time.monotonic() > end:
            return check(what, got is True, f"not in {LIMIT_S} s:", got)
        time.sleep(0.1)


class Guest:
    def __init__(self, folder, name):
        self.name = name
        self.work = os.path.join(folder, name)
        self.umid = os.path.join(folder, "umid", name)
        self.page = os.path.join(self.work, "page")
        self.log = os.path.join(OUT, name + ".log")
        os.makedirs(self.work)
        for file in ("init.sh", "load.py"):
            shutil.copy(os.path.join(HERE, file), self.work)
        shutil.copy(AGENT, os.path.join(self.work, "agent"))
        with open(self.page, "wb") as f:
            f.truncate(8192)
        with open(os.path.join(self.work, "swap"), "wb") as f:
            f.truncate(256 << 20)
        self.process = None

    def start(self):
        words = ["setarch", "-R", "linux.uml", f"mem={MAX_MIB}M", "rootfstype=hostfs", "rootflags=/", "ro",
                 f"init={self.work}/init.sh", f"uml_dir={os.path.dirname(self.umid)}/", f"umid={self.name}", "con=null",
                 "con0=null,fd:1", "ssl=null", f"iomem=mmapper,{self.page}", f"ubd0={self.work}/swap",
                 f"poise.work={self.work}", f"poise.agent={AGENT}", f"poise.total={MAX_MIB}", "panic=-1"]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)

    def go(self, work):
        path = os.path.join(self.work, "go")
        if work:
            with open(path + ".new", "w") as f:
                f.write(str(WORK_MIB))
            os.rename(path + ".new", path)
        elif os.path.exists(path):
            os.unlink(path)

    def console(self, command):
        """A request to its management console; its answer's text."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.settimeout(LIMIT_S)
            s.bind("")
            s.sendto(struct.pack("=III", 0xcafebabe, 2, len(command)) + command.encode() + b"\0",
                     os.path.join(self.umid, "mconsole"))
            return s.recv(1024)[12:-1].decode()

    def resident(self):
        """Pages of its memory that the host holds, by the host's own count."""
        with open(f"/proc/{self.process.pid}/status") as f:
            fields = dict(line.split(":", 1) for line in f)
        return sum(int(fields[k].split()[0]) for k in ("RssAnon", "RssShmem")) // 4

    def end(self):
        # Its host processes are in its session.
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Daemon:
    def __init__(self, folder, guests):
        self.socket = os.path.join(folder, "control")
        self.recording = os.path.join(OUT, "recording.txt")
        conf = os.path.join(folder, "conf")
        vms = ",".join(f'{{ name = "{g.name}"; min = "{MIN_MIB}M"; boot = "{BOOT_MIB}M"; max = "{MAX_MIB}M"; '
                       f'umid_dir = "{g.umid}"; page_file = "{g.page}"; }}' for g in guests)
        with open(conf, "w") as f:
            f.write(f'backend = "uml"; pool = "{BOOT_MIB * len(guests)}M"; host_reserve = 0;\n'
                    f'control = {{ socket = "{self.socket}"; }}; lock = "{folder}/lock"; state_file = "{folder}/state";\n'
                    f'record = "{self.recording}"; policy = {{ interval_ms = 500; }};\nvms = ( {vms} );\n')
        self.log = open(os.path.join(OUT, "poised.log"), "wb")
        self.process = subprocess.Popen([POISED, "--config", conf], stdout=self.log, stderr=self.log)

    def status(self):
        if self.process.poll() is not None:
            sys.exit(f"FAIL: lab: poised has ended: see {OUT}/poised.log")
        r = subprocess.run([POISECTL, "--socket", self.socket, "status", "--json"], capture_output=True, text=True,
                           timeout=LIMIT_S)
        return json.loads(r.stdout) if r.returncode == 0 else {"vms": [], "why": r.stderr}

    def vm(self, guest):
        return next((v for v in self.status()["vms"] if v["vm"] == guest.name), {})

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(LIMIT_S)
        self.log.close()
        return code


def lacks():
    if shutil.which("linux.uml") is None:
        return "this machine lacks linux.uml, package user-mode-linux (amd64 only)"
    with open("/proc/meminfo") as f:
        fields = dict(line.split(":", 1) for line in f)
    free = int(fields["MemAvailable"].split()[0]) // 1024
    st = os.statvfs("/dev/shm")
    free = min(free, st.f_bavail * st.f_frsize >> 20)
    need = 2 * MAX_MIB + 128
    return f"{need} MiB of memory and of /dev/shm are needed, {free} are there" if free < need else None


def managed(vm, fresh=True):
    return True if vm.get("state") == "managed" and (not fresh or vm["age_ms"] < 5000) else vm


def host_agrees(daemon, guests):
    """What the guests hold by the host's count is no more than what they are charged for."""
    rows = [(g.name, g.resident(), daemon.vm(g)["charged"]) for g in guests]
    return True if all(held <= charged + OVERHEAD for _, held, charged in rows) else rows


def play(daemon, a, b):
    for g in (a, b):
        until(f"{g.name} is managed by its page", lambda g=g: managed(daemon.vm(g)))
    until("both have been made as small as the pool", lambda: host_agrees(daemon, (a, b)))

    for busy, idle in ((a, b), (b, a)):
        busy.go(True)
        until(f"memory goes to {busy.name}, which works, and comes from {idle.name}, which does not",
              lambda busy=busy, idle=idle: True if daemon.vm(busy)["actual"] > (BOOT_MIB + 8) * MIB and
              daemon.vm(idle)["actual"] < (BOOT_MIB - 8) * MIB else (daemon.vm(busy), daemon.vm(idle)))
        until(f"the host's count agrees while {busy.name} works", lambda: host_agrees(daemon, (a, b)))
        until("and it really holds what it works on",
              lambda busy=busy: busy.resident() > (WORK_MIB - 16) * MIB or busy.resident())
        busy.go(False)

    b.console("stop")
    until("a guest that is stopped is paused", lambda: daemon.vm(b).get("paused") is True or daemon.vm(b))
    check("and the other is still managed", managed(daemon.vm(a)) is True, daemon.vm(a))
    b.console("go")
    until("it goes on", lambda: managed(daemon.vm(b)) if not daemon.vm(b)["paused"] else "paused")

    bad = sum(daemon.status()["errors"].values())
    for _ in range(20):
        with open(b.page, "r+b") as f:
            f.write(os.urandom(4096))
        time.sleep(0.05)
    until("garbage on a page is counted", lambda: sum(daemon.status()["errors"].values()) > bad)
    until("and forgotten when its guest writes again", lambda: managed(daemon.vm(b)))
    check("nothing of that is held against the other", managed(daemon.vm(a)) is True and
          daemon.vm(a)["alarms"] == [] and daemon.vm(a)["mistakes"] == 0, daemon.vm(a))

    restarts = daemon.vm(b)["restarts"]
    b.console("reboot")
    until("a reboot is seen", lambda: daemon.vm(b)["restarts"] > restarts or daemon.vm(b))
    until("and the guest is managed again", lambda: managed(daemon.vm(b)))
    check("the other is still managed", managed(daemon.vm(a)) is True, daemon.vm(a))

    b.end()
    until("a guest that is killed is gone", lambda: daemon.vm(b).get("running") is False or daemon.vm(b))
    a.go(True)
    until("its memory goes to the other", lambda: True if daemon.vm(a)["actual"] > (BOOT_MIB + 8) * MIB else
          daemon.vm(a))
    a.go(False)
    b.start()
    until("started again it is managed", lambda: managed(daemon.vm(b)))


def main():
    reason = lacks()
    if reason:
        print(f"SKIP: lab: {reason}")
        return 0
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT)
    with tempfile.TemporaryDirectory(prefix="poise-lab-") as folder:  # Short, as sockets' names have to be.
        guests = [Guest(folder, "a"), Guest(folder, "b")]
        daemon = None
        try:
            for g in guests:
                g.start()
            daemon = Daemon(folder, guests)
            play(daemon, *guests)
        finally:
            code = daemon.end() if daemon else None
            for g in guests:
                g.end()
        check("poised ends when it is told to", code == 0, code)
        r = subprocess.run([SIM, "replay", daemon.recording], capture_output=True, text=True, timeout=LIMIT_S)
        check("the recording replays without a difference", r.returncode == 0, r.stdout[-300:], r.stderr[-300:])
    return 1 if failed else 0


sys.exit(main())
