# SPDX-License-Identifier: MIT
"""A QEMU that is played: a QMP server, a guest with a balloon, and its shared page.

Peer is what a test holds; the play itself runs in a process of its own, so that it can be stopped
and killed as a QEMU can. What the test wants changed goes through Peer.set(key=value); what there
is to see comes from Peer.get().
"""
import json
import mmap
import os
import select
import signal
import socket
import struct
import time

PAGE = 4096
MASK = (1 << 64) - 1
GUEST_MAGIC = 0x47534F50
FEATURES = 0x01FF & ~0x0080  # all but the floor
STEP_S = 0.01


def checksum(words):
    """The shared page's checksum (poise_abi.h)."""
    total = 0xCBF29CE484222325
    for word in words:
        total = ((total ^ word) * 0x100000001B3) & MASK
        total ^= total >> 29
    return total


class Page:
    """The guest's side of a page file, as guestdrv/publish.c writes it."""

    def __init__(self, path, total):
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 2 * PAGE)
        self.total = total
        self.boot_id = time.time_ns() | 1
        self.sample = 0
        self.seq = 0
        self.urgent = 0

    def publish(self, counters):
        self.sample += 1
        body = [self.sample, time.monotonic_ns() // 1000000, self.total] + counters
        head = struct.pack("<IHHIIQ", GUEST_MAGIC, 1, 1, FEATURES, 8 * len(body), self.boot_id)
        data = head + struct.pack("<%dQ" % len(body), *body)
        total = checksum(struct.unpack("<%dQ" % (len(data) // 8), data))
        struct.pack_into("<I", self.map, 0, self.seq + 1)
        self.map[0x40 : 0x48 + len(data)] = struct.pack("<Q", total) + data
        self.seq = (self.seq + 2) & 0xFFFFFFFF
        struct.pack_into("<I", self.map, 0, self.seq)

    def ring(self):
        self.urgent = (self.urgent + 1) & 0xFFFFFFFF
        struct.pack_into("<I", self.map, 4, self.urgent)


class Play:
    """The process: guest and QMP server in one loop."""

    def __init__(self, control, options):
        self.control = control
        self.control_text = b""
        self.o = options  # changed by the test while it runs
        self.actual = self.target = options["ram"]
        self.listener = None
        self.client = None
        self.text = b""
        self.page = None
        self.out = 0  # pages that have gone to swap, ever
        self.back = 0
        self.log = []  # commands seen
        self.stats_update = 0
        self.told = self.actual

    # --- the guest ---

    def kernel(self):
        return 4096

    def counters(self):
        o = self.o
        size = self.actual
        room = max(size - self.kernel(), 0)
        anon = min(o["need"], room)
        swapped = o["need"] - anon
        if swapped > self.swapped:
            self.out += swapped - self.swapped
        else:
            self.back += self.swapped - swapped
        self.swapped = swapped
        cache = min(o["cache"], room - anon)
        free = room - anon - cache
        #       balloon      free  act.file inact.file act.anon inact.anon unevictable
        return [o["ram"] - size, free, 0, cache, 0, anon, 0,
                #  swapped  available     swap out  swap in  refault committed reclaim oom floor
                swapped, free + cache // 2, self.out, self.back, 0, 0, anon + swapped, 0, 0, 0]

    swapped = 0

    def shuffle(self):
        """What was asked since the last step is answered backwards, among answers to nobody."""
        for late in reversed(self.held):
            self.send({"event": "NIC_RX_FILTER_CHANGED", "data": {"name": "x"}})
            self.send({"return": {}, "id": 4000000})
            self.send({"return": {}})
            self.send(late)
        self.held = []

    def step(self):
        o = self.o
        self.shuffle()
        rate = o["rate"]
        if o["obeys"] and self.actual != self.target:
            move = max(-rate, min(rate, self.target - self.actual))
            limit = o["stops_at"]
            self.actual = max(self.actual + move, limit) if move < 0 else self.actual + move
        if o["driver"]:
            if self.page is None and o["page"]:
                self.page = Page(o["page"], o["ram"])
            if self.page is not None:
                self.page.publish(self.counters())
        if self.told != self.actual and o["events"]:
            self.told = self.actual
            self.send({"event": "BALLOON_CHANGE", "data": {"actual": self.actual * PAGE},
                       "timestamp": {"seconds": 1, "microseconds": 0}})

    def stats(self):
        o = self.o
        c = self.counters()
        if o["stats_live"]:
            self.stats_update = int(time.time() * 100)
        missing = MASK
        return {"last-update": self.stats_update,
                "stats": {"stat-free-memory": c[1] * PAGE, "stat-total-memory": self.actual * PAGE,
                          "stat-disk-caches": c[3] * PAGE,
                          "stat-available-memory": c[8] * PAGE,
                          "stat-swap-in": c[10] * PAGE, "stat-swap-out": c[9] * PAGE,
                          "stat-major-faults": 3, "stat-minor-faults": 4,
                          "stat-htlb-pgalloc": missing, "stat-htlb-pgfail": missing}}

    # --- QMP ---

    def send(self, message, raw=None):
        if self.client is None:
            return
        data = raw if raw is not None else json.dumps(message).encode() + b"\r\n"
        try:
            self.client.sendall(data)
        except OSError:
            self.hang_up()

    def hang_up(self):
        if self.client is not None:
            self.client.close()
        self.client = None
        self.text = b""

    def greet(self):
        if self.o["greets"]:
            self.send({"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7},
                                           "package": ""}, "capabilities": []}})

    def answer(self, command):
        o = self.o
        verb = command["execute"]
        arguments = command.get("arguments", {})
        fault = o["fail"].get(verb)
        self.log.append(verb)
        if fault is not None:
            return {"error": {"class": fault, "desc": "as the test wants it"}}
        if verb == "query-status":
            return {"return": {"running": o["status"] == "running", "singlestep": False,
                               "status": o["status"]}}
        if verb == "query-memory-size-summary":
            return {"return": {"base-memory": o["ram"] * PAGE, "plugged-memory": 0}}
        if verb == "query-balloon":
            return {"return": {"actual": self.actual * PAGE}}
        if verb == "balloon":
            self.target = min(arguments["value"] // PAGE, o["ram"])
            self.log[-1] = "balloon %d" % self.target
            return {"return": {}}
        if verb == "qom-list":
            named = arguments["path"] == "/machine/peripheral"
            return {"return": [{"name": "type", "type": "string"},
                               {"name": "net0", "type": "child<virtio-net-pci>"}]
                    + ([{"name": "b0", "type": "child<virtio-balloon-pci>"}] if named else [])}
        if verb == "qom-get":
            return {"return": self.stats()}
        return {"return": {}}

    def reply(self, command):
        o = self.o
        if command["execute"] in o["mute"]:
            self.log.append(command["execute"])
            return
        message = self.answer(command)
        if "id" in command and not o["no_id"]:
            message["id"] = command["id"]
        raw = o["garble"].get(command["execute"])
        if raw is not None:
            self.send(None, raw.replace("$ID", str(command.get("id"))).encode("latin-1"))
        elif o["half"] and command["execute"] == o["half"]:
            data = json.dumps(message).encode() + b"\r\n"
            self.send(None, data[: len(data) // 2])
            self.o["half"] = None
            self.hang_up()
        elif o["slow"]:
            for byte in json.dumps(message).encode() + b"\r\n":
                self.send(None, bytes([byte]))
        elif o["shuffle"]:
            self.held.append(message)
        else:
            self.send(message)

    held = []

    def hear(self):
        try:
            data = self.client.recv(65536)
        except OSError:
            data = b""
        if not data:
            self.hang_up()
            return
        self.text += data
        while b"\n" in self.text and self.client is not None:
            line, self.text = self.text.split(b"\n", 1)
            self.reply(json.loads(line))

    def listen(self):
        path = self.o["qmp"]
        if self.o["listens"] and self.listener is None:
            if os.path.exists(path):
                os.unlink(path)
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(path)
            self.listener.listen(1)
        elif not self.o["listens"] and self.listener is not None:
            self.listener.close()
            self.listener = None
            self.hang_up()

    # --- the test's wishes ---

    def wish(self, request):
        for key, value in request.get("set", {}).items():
            self.o[key] = value
        for deed in request.get("do", []):
            if deed == "hang_up":
                self.hang_up()
            elif deed == "ring":
                self.page.ring()
            elif deed == "reset":  # the guest takes everything back
                self.page = None
                self.swapped = self.out = self.back = 0
                self.actual = self.o["ram"] if self.o["forgets"] else self.actual
                self.send({"event": "RESET", "data": {"guest": True}})
            elif deed == "reset_page":
                self.page = None
            elif isinstance(deed, list) and deed[0] == "raw":
                self.send(None, deed[1].encode("latin-1") * deed[2])
            elif isinstance(deed, list) and deed[0] == "event":
                self.send({"event": deed[1], "data": {}})
            elif isinstance(deed, list) and deed[0] == "hog":
                self.hog = bytearray(os.urandom(PAGE) * deed[1])
        if "balloon" in request:
            self.actual = request["balloon"]
        if "listens" in request.get("set", {}):
            self.listen()
        answer = {"actual": self.actual, "target": self.target, "log": self.log[-200:],
                  "count": len(self.log), "client": self.client is not None,
                  "out": self.out}
        self.control.sendall(json.dumps(answer).encode() + b"\n")

    hog = None

    def run(self):
        self.listen()
        due = time.monotonic()
        while True:
            waits = [s for s in (self.control, self.listener, self.client) if s is not None]
            ready, _, _ = select.select(waits, [], [], max(0, due - time.monotonic()))
            if self.control in ready:
                data = self.control.recv(65536)
                if not data:
                    return
                self.control_text += data
                while b"\n" in self.control_text:
                    line, self.control_text = self.control_text.split(b"\n", 1)
                    self.wish(json.loads(line))
                continue
            if self.listener in ready and self.client is None:
                self.client, _ = self.listener.accept()
                self.greet()
            elif self.client is not None and self.client in ready:
                self.hear()
            if time.monotonic() >= due:
                due = time.monotonic() + STEP_S
                self.step()


DEFAULTS = {
    "ram": 65536, "need": 16384, "cache": 8192, "rate": 4096, "obeys": True, "stops_at": 0,
    "driver": True, "page": "", "events": True, "stats_live": True, "greets": True, "fail": {},
    "mute": [], "garble": {}, "half": None, "slow": False, "shuffle": False, "no_id": False,
    "status": "running", "listens": True, "forgets": True,
}


class Peer:
    """The test's handle. Options: DEFAULTS."""

    def __init__(self, folder, name, **options):
        self.name = name
        self.options = dict(DEFAULTS, qmp="%s/%s.qmp" % (folder, name), **options)
        page = "%s/%s.page" % (folder, name)
        if options.get("page", True) and not os.path.exists(page):
            with open(page, "wb") as file:
                file.truncate(2 * PAGE)
        self.options["page"] = page if options.get("page", True) else ""
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                ours.close()
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                Play(theirs, self.options).run()
            finally:
                os._exit(0)
        theirs.close()
        self.control = ours
        self.text = b""
        self.get()  # listens from here on

    def ask(self, **request):
        self.control.sendall(json.dumps(request).encode() + b"\n")
        while b"\n" not in self.text:
            data = self.control.recv(65536)
            if not data:
                raise RuntimeError("the played QEMU %s has ended" % self.name)
            self.text += data
        line, self.text = self.text.split(b"\n", 1)
        return json.loads(line)

    def set(self, **options):
        return self.ask(set=options)

    def do(self, *deeds):
        return self.ask(do=list(deeds))

    def get(self):
        return self.ask()

    def stop(self):
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self):
        os.kill(self.pid, signal.SIGCONT)

    def kill(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.control.close()
        self.pid = 0


class Relay:
    """Between a daemon and a QEMU: listens at a path of its own and passes on what it hears, as socat
    or libvirt's sockets would. It listens whether or not the QEMU is there."""

    def __init__(self, path, target):
        self.path = path
        self.target = target
        self.pid = 0
        self.start()

    def start(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.path)
        listener.listen(4)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                while True:
                    self.serve(listener.accept()[0])
            finally:
                os._exit(0)
        listener.close()

    def serve(self, client):
        with client, socket.socket(socket.AF_UNIX) as server:
            if server.connect_ex(self.target) != 0:
                return
            while True:
                for s in select.select([client, server], [], [])[0]:
                    try:
                        data = s.recv(65536)
                        (server if s is client else client).sendall(data)
                    except OSError:
                        return
                    if not data:
                        return

    def kill(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self.pid = 0
