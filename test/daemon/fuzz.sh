#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a fuzz target of poised's readers for a fixed number of inputs from a fixed seed, starting
# from texts that are right. Longer by hand: the target with a directory.
#
#	fuzz.sh daemon|uml TARGET
# Leaks are left to the other tests: libconfig itself loses a few bytes at an unfinished string.
set -eu

which=$1
target=$2
seeds=$target-seeds
rm -rf "$seeds"
mkdir -p "$seeds"

daemon_seeds() {
	printf '%s' 'cbackend = "kvm"; pool = "512M"; host_reserve = 64; on_exit = "boot"; log = "info";
record = "/r"; lock = "/l"; control = { socket = "/s"; mode = "0660"; group = "g"; };
kvm = { deadline_ms = 1000; overhead = "8M"; };
policy = { name = "paper"; alpha = 0.5; interval_ms = 100; rules_off = ["SLEW", "FAIR"]; };
vms = ( { name = "a"; min = 8; boot = "64M"; max = "1G"; weight = 5; basis = "auto"; qmp = "/q"; },
 { name = "b"; min = 8; max = 16; static = true; frozen = false; qmp = "/r"; page_file = "/p";
   pid_file = "/i"; balloon = "/machine/b"; } );' >"$seeds/config"
	n=0
	for line in '{"do": "status"}' '{"do": "metrics"}' '{"do": "why", "vm": "a"}' '{"do": "record"}' \
		'{"do": "set", "vm": "a", "key": "min", "value": "16M"}' '{"do": "freeze", "vm": "a"}' \
		'{"do": "set", "vm": "a", "key": "basis", "value": "active"}' '{"do": "thaw", "vm": "a"}'; do
		n=$((n + 1))
		printf 'k%s' "$line" >"$seeds/control$n"
	done
	handshake='{"return": {"running": true, "status": "running"}, "id": @1}
{"return": {"base-memory": 268435456, "plugged-memory": 0}, "id": @2}
{"return": {"actual": 268435456}, "id": @3}
{"return": [{"name": "b0", "type": "child<virtio-balloon-pci>"}], "id": @5}
{"return": {}, "id": @4}
{"return": {"actual": 268435456}, "id": @3}
'
	printf 'q%s' "$handshake" >"$seeds/handshake"
	printf 'q%s%s' "$handshake" '{"event": "RESET"}
{"event": "STOP"}
{"event": "RESUME"}
{"event": "BALLOON_CHANGE", "data": {"actual": 4096}}
{"return": {"actual": 4096000}, "id": @3}
' >"$seeds/events"
	printf 'q%s' '{"error": {"class": "DeviceNotActive", "desc": "d"}, "id": @3}
{"return": {"running": false, "status": "inmigrate"}, "id": @1}
{"return": {}, "id": @7}
{"return": {"last-update": 5, "stats": {"stat-free-memory": 1e6, "stat-total-memory": 2e8}}, "id": @8}
' >"$seeds/refused"
}

uml_seeds() {
	zones='npages free 40000;min 400;managed 60000;'
	printf 'm%s\n%s\n%s\n' "$zones" 'n' 'nctxt 5;' >"$seeds/met"
	printf 'h%s\n%s\n%s\n%s\n%s\n' 'nctxt 5;' "$zones" 'n' "$zones" 'n' >"$seeds/moved"
	printf 'h%s\n%s\n%s\n' 'nctxt 6;' "mpages free 1;min 2;managed 3;" 'eno' >"$seeds/refused"
	printf 'mb\0\0\0\0\0\0\0\0\1\0\0\0\0\nbx\n' >"$seeds/bytes"
}

case $which in
daemon) daemon_seeds ;;
uml) uml_seeds ;;
*) exit 2 ;;
esac
runs=6000
if ASAN_OPTIONS=detect_leaks=0 timeout 300 "$target" -seed=1 -max_len=2048 -len_control=0 -runs=$runs \
	-detect_leaks=0 -artifact_prefix="$target-" -verbosity=0 "$seeds" >"$target.log" 2>&1; then
	echo "PASS: fuzz poised's readers ($which): $runs inputs"
else
	echo "FAIL: fuzz poised's readers ($which): see $target.log"
	tail -n 40 "$target.log"
fi
