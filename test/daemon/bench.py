# SPDX-License-Identifier: MIT
"""What every test of the daemon stands on: a folder, played QEMUs, a poised, and what must always
hold. Everything waits for a condition with a generous limit, never for a time."""
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from peer import Peer

LIMIT_S = 30
MIB = 256  # pages
POOL = 384 * MIB
MIN = 32 * MIB


class Failure(Exception):
    pass


def expect(condition, text):
    if not condition:
        raise Failure(text)


def wait(condition, text, limit=LIMIT_S):
    """Waits until condition() is true and returns what it returned."""
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure("not within %d s: %s" % (limit, text))
        time.sleep(0.01)


VM = """  {{ name = "{name}"; min = "32M"; boot = "128M"; max = "256M"; qmp = "{folder}/{name}.qmp";
    {page} {more} }}"""


class Bench:
    """A pool of 384 MiB, and VMs of 256 MiB each that boot with 128."""

    def __init__(self, binary, ctl, names=("a", "b", "c"), pool="384M", vm_more="", more="",
                 interval_ms=50, page=True, deadline_ms=1000):
        self.folder = tempfile.mkdtemp(prefix="poised-")
        self.binary = binary
        self.ctl = ctl
        self.peers = {}
        self.process = None
        self.names = names
        self.page = page
        self.conf = self.folder + "/poised.conf"
        self.configure(pool, vm_more, more, interval_ms, deadline_ms)
        self.count = 0
        self.environment = {}

    def configure(self, pool="384M", vm_more="", more="", interval_ms=50, deadline_ms=1000,
                  names=None):
        vms = ",\n".join(
            VM.format(name=name, folder=self.folder, more=vm_more,
                      page='page_file = "%s/%s.page";' % (self.folder, name) if self.page else "")
            for name in (names or self.names))
        with open(self.conf, "w") as file:
            file.write("""backend = "kvm";
pool = "%s";
host_reserve = 0;
lock = "%s/lock";
state_file = "%s/state";
log = "debug";
control = { socket = "%s/control"; };
policy = { interval_ms = %d; };
kvm = { deadline_ms = %d; overhead = "64M"; };
%s
vms = (
%s
);
""" % (pool, self.folder, self.folder, self.folder, interval_ms, deadline_ms, more, vms))

    def peer(self, name, **options):
        self.peers[name] = Peer(self.folder, name, **options)
        return self.peers[name]

    def start(self):
        self.count += 1
        self.log_path = "%s/log.%d" % (self.folder, self.count)
        with open(self.log_path, "wb") as log:
            # Freed memory is not kept for long, so that growth can be seen under the sanitizer.
            self.process = subprocess.Popen(
                [self.binary, "--config", self.conf], stderr=log,
                env=dict(os.environ, ASAN_OPTIONS="quarantine_size_mb=4", **self.environment))
        wait(lambda: os.path.exists(self.folder + "/control") and self.try_status(),
             "poised answers")
        return self

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def request(self, **request):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(LIMIT_S)
            s.connect(self.folder + "/control")
            s.sendall(json.dumps(request).encode() + b"\n")
            text = b""
            while not text.endswith(b"\n"):
                data = s.recv(65536)
                if not data:
                    raise Failure("poised hung up")
                text += data
        return json.loads(text)

    def try_status(self):
        try:
            return self.status()
        except OSError:
            if self.process.poll() is not None:
                raise Failure("poised has ended with %s: %s" %
                              (self.process.returncode, self.log()[-2000:]))
            return None

    def status(self):
        """Status, after what must hold at any time has been looked at."""
        status = self.request(do="status")
        charged = sum(vm["charged"] for vm in status["vms"])
        expect(status["check_failures"] == 0, "an invariant did not hold")
        expect(charged + status["free"] == status["pool"], "charges and free are not the pool")
        return status

    def vm(self, name):
        return next(vm for vm in self.status()["vms"] if vm["vm"] == name)

    def wait_vm(self, name, condition, text):
        return wait(lambda: (lambda vm: condition(vm) and vm)(self.vm(name)),
                    "%s: %s" % (name, text))

    def wait_managed(self, *names):
        for name in names or self.names:
            self.wait_vm(name, lambda vm: vm["state"] == "managed", "is managed")

    def wait_ticks(self, count=5):
        before = self.status()["ticks"]
        wait(lambda: self.status()["ticks"] >= before + count, "%d more ticks" % count)

    def signal(self, number):
        os.kill(self.process.pid, number)

    @contextlib.contextmanager
    def standing_still(self):
        """The daemon is stopped, if it runs."""
        runs = self.process is not None and self.process.poll() is None
        if runs:
            self.signal(signal.SIGSTOP)
            wait(lambda: " T " in open("/proc/%d/stat" % self.process.pid).read(), "stopped")
        try:
            yield
        finally:
            if runs:
                self.signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """An orderly end; anything else but status 0 is a failure (a sanitizer's, for example)."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                code = self.process.wait(LIMIT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise Failure("poised does not end")
            expect(code == 0, "poised ended with %s: %s" % (code, self.log()[-3000:]))

    def close(self):
        for peer in self.peers.values():
            peer.kill()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder)


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
    # On a loaded machine it may still have more than it needs from before.
    bench.peers[name].set(need=max(need, before + 8 * MIB))
    wait(lambda: bench.peers[name].get()["actual"] > before + 4 * MIB, name + " is served")
    expect(claimed(bench) <= POOL, "more than the pool has been given")
