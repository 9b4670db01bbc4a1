# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What the jobs of the emulated host share: guests under KVM, what they report, and poised. Read by `.`.
# A guest NAME lives in $VM/NAME.*: ctl.in and ctl.out lead to its shell (guest.sh), stat is its
# latest report, log the rest of what it has said, console its console, mon.in and mon.out QEMU's own
# monitor, qmp the socket for poised, pid.
#
# What runs every second uses the shell's own means only: here a process costs milliseconds.
# shellcheck disable=SC2034 # those that read this file use them
VM=/vm
SHARE_MIB=112 # a guest's part of the pool when all get the same
GUEST_MIB=192 # what a guest could grow to
MIN_MIB=72    # its reservation
NAMES="stream web game"
POOL_MIB=$((3 * SHARE_MIB))
SOCKET=/run/poise/control.sock

# now: sets $now to whole seconds since the host has booted.
now() {
	read -r now rest </proc/uptime
	now=${now%.*}
}

# host_prepare: a place for the guests' files. It takes memory only for what has been written.
host_prepare() {
	mkdir -p "$VM" /run/poise
	mount -t tmpfs -o size=75% vm "$VM"
	truncate -s 1G "$VM/data"
	# With huge pages, touching one page for the first time brings in its neighbours, those that are in
	# the balloon included: the host would hold more than the guests have. QEMU asks for them.
	echo never >/sys/kernel/mm/transparent_hugepage/enabled
}

# --- guests ---

# qemu_run NAME: QEMU itself, in the background.
qemu_run() {
	qemu-system-aarch64 -name "$1" -M virt,gic-version=3 -accel kvm -cpu host -smp 1 -m "$GUEST_MIB" \
		-display none -nic none -serial "file:$VM/$1.console" -parallel none \
		-kernel /boot/vmlinuz -initrd /boot/guest.cpio -append "console=ttyAMA0 quiet panic=1" \
		-chardev "pipe,id=ctl,path=$VM/$1.ctl" -device virtio-serial-pci \
		-device virtserialport,chardev=ctl,name=ctl \
		-drive "file=$VM/data,if=none,id=data,format=raw,readonly=on" \
		-device virtio-blk-pci,drive=data,serial=data \
		-drive "file=$VM/$1.swap,if=none,id=swap,format=raw" \
		-device virtio-blk-pci,drive=swap,serial=swap \
		-object "memory-backend-file,id=page,mem-path=/dev/shm/poise-$1,size=1M,share=on" \
		-device ivshmem-plain,memdev=page -device virtio-balloon-pci,id=balloon \
		-qmp "unix:$VM/$1.qmp,server=on,wait=off" -pidfile "$VM/$1.pid" \
		-chardev "pipe,id=mon,path=$VM/$1.mon" -mon chardev=mon,mode=readline \
		>"$VM/$1.qemu" 2>&1 &
}

# listen NAME: sorts what the guest says, until its end.
listen() {
	while read -r line; do
		case $line in
		"stat "*) echo "$line" >"$VM/$1.stat" ;;
		*) echo "$line" >>"$VM/$1.log" ;;
		esac
	done <"$VM/$1.ctl.out"
}

# listen_monitor NAME: notes that QEMU is there, and keeps the size that QEMU's monitor has told last, in
# MiB: in NAME.size for everybody, in NAME.fresh for the watcher, who takes it away before it asks.
listen_monitor() {
	while read -r line; do
		case $line in
		*"QEMU "*) : >"$VM/$1.up" ;;
		*"actual="*)
			line=${line##*actual=}
			echo "${line%%[!0-9]*}" >"$VM/$1.size"
			echo "${line%%[!0-9]*}" >"$VM/$1.fresh"
			;;
		esac
	done <"$VM/$1.mon.out"
}

# guest_start NAME: a new guest with empty swap, asked at once to leave all but its share.
guest_start() {
	for pipe in ctl.in ctl.out mon.in mon.out; do
		[ -p "$VM/$1.$pipe" ] || mkfifo "$VM/$1.$pipe"
	done
	rm -f "$VM/$1.swap" "$VM/$1.pid" "$VM/$1.size" "$VM/$1.up" "/dev/shm/poise-$1"
	truncate -s 512M "$VM/$1.swap"
	: >"$VM/$1.log"
	: >"$VM/$1.stat"
	qemu_run "$1"
	listen "$1" &
	echo $! >"$VM/$1.listeners"
	listen_monitor "$1" &
	echo $! >>"$VM/$1.listeners"
	await 200 test -e "$VM/$1.up" && monitor "$1" "balloon $SHARE_MIB"
}

# guest_ready NAME: waits for its shell, and starts its reports.
guest_ready() {
	await 200 said "$1" '^ready' || return 1
	tell "$1" "start load watch"
	await 60 reported "$1"
}

# guests_start: all of them, side by side, down to their shares.
guests_start() {
	now
	began=$now
	for name in $NAMES; do
		guest_start "$name"
	done
	for name in $NAMES; do
		if ! guest_ready "$name" || ! await 60 size_at_most "$name" "$SHARE_MIB"; then
			echo "error: guest $name does not start:"
			tail -n 5 "$VM/$name.console" "$VM/$name.qemu" "$VM/$name.log"
			return 1
		fi
	done
	now
	echo "$NAMES: running and down to their shares after $((now - began)) s"
}

guest_pid() {
	cat "$VM/$1.pid" 2>/dev/null
}

# guest_kill NAME: at once, as if the VMM had crashed.
guest_kill() {
	kill -9 "$(guest_pid "$1")"
	await 10 gone "$(guest_pid "$1")"
	# Whoever read its pipes must have seen their end, or would share them with the next one's readers.
	while read -r listener; do
		await 10 gone "$listener"
	done <"$VM/$1.listeners"
}

guests_kill() {
	for name in $NAMES; do
		guest_kill "$name"
	done
}

# gone PID: whether there is no such process any more; a zombie is none.
gone() {
	[ -n "$1" ] || return 0
	read -r state 2>/dev/null <"/proc/$1/stat" || return 0
	case $state in *") Z "*) return 0 ;; esac
	return 1
}

# monitor NAME COMMAND: to QEMU's own monitor. Opened both ways, as nobody may be reading it.
monitor() {
	echo "$2" 1<>"$VM/$1.mon.in"
}

# tell NAME COMMAND: to the guest's shell.
tell() {
	echo "$2" 1<>"$VM/$1.ctl.in"
}

# await SECONDS CONDITION...: until the command succeeds. Fails when it has not by then.
await() {
	now
	await_end=$((now + $1))
	shift
	until "$@"; do
		now
		[ "$now" -lt "$await_end" ] || return 1
		usleep 500000
	done
}

# said NAME PATTERN: whether the guest has said such a line.
said() {
	grep -q -- "$2" "$VM/$1.log"
}

reported() {
	[ -s "$VM/$1.stat" ]
}

# field NAME KEY: sets $field to a number of the guest's latest report; 0 before there is one.
field() {
	report=
	read -r report <"$VM/$1.stat"
	field=0
	case $report in
	*" $2="*)
		field=${report##*" $2="}
		field=${field%% *}
		;;
	esac
}

# size NAME: sets $size to what QEMU last said the guest has, in MiB, and asks it to say so again.
size() {
	size=
	read -r size 2>/dev/null <"$VM/$1.size"
	size=${size:-$GUEST_MIB}
	monitor "$1" "info balloon"
}

size_at_most() {
	size "$1"
	[ "$size" -le "$2" ]
}

size_at_least() {
	size "$1"
	[ "$size" -ge "$2" ]
}

# --- a relay between poised and a QEMU, so that their connection can be cut ---

# relay_start NAME: listens at NAME.relay and passes on to QEMU's socket. In a session of its own, as there
# is a process for each connection too.
relay_start() {
	setsid socat "UNIX-LISTEN:$VM/$1.relay,fork,unlink-early" "UNIX-CONNECT:$VM/$1.qmp" \
		>>"$VM/relay.log" 2>&1 &
	relay_pid=$!
	await 20 test -S "$VM/$1.relay"
}

# relay_kill: in the middle of whatever is said.
relay_kill() {
	kill -9 "-$relay_pid"
	await 10 gone "$relay_pid"
}

# --- poised ---

# poised_conf POOL: the configuration file, with the pool in MiB.
poised_conf() {
	{
		echo "backend = \"kvm\"; pool = \"${1}M\"; host_reserve = \"64M\";"
		echo "control = { socket = \"$SOCKET\"; mode = \"0600\"; };"
		[ -z "${RECORD:-}" ] || echo "record = \"$RECORD\";"
		echo "policy = { name = \"poise\"; interval_ms = 1000; };"
		echo "vms = ("
		comma=
		for name in $NAMES; do
			echo "$comma { name = \"$name\"; min = \"${MIN_MIB}M\"; boot = \"${SHARE_MIB}M\";"
			# Behind a relay, QEMU itself says which process it is.
			socket=$VM/$name.qmp
			[ "$name" != "${RELAYED:-}" ] || socket=$VM/$name.relay
			echo "max = \"${GUEST_MIB}M\"; qmp = \"$socket\";"
			echo "page_file = \"/dev/shm/poise-$name\"; pid_file = \"$VM/$name.pid\"; }"
			comma=,
		done
		echo ");"
	} >/run/poise/poised.conf
}

# poised_start: poised with that file; waits until it answers.
poised_start() {
	poised --config /run/poise/poised.conf >>/run/poise/poised.log 2>&1 &
	poised_pid=$!
	await 20 asked
}

# poised_cpu: sets $cpu to what poised has used so far, in microseconds of this machine: one instruction is a
# nanosecond here, the kernel's on its behalf included.
poised_cpu() {
	read -r cpu rest <"/proc/$poised_pid/schedstat"
	cpu=$((cpu / 1000))
}

asked() {
	poisectl --socket "$SOCKET" status --json >/run/poise/status.json 2>/run/poise/ctl.log
}

# status FILTER: sets $status to what jq finds in poised's status; empty when it does not answer.
status() {
	status=
	asked && status=$(jq -r "$1" /run/poise/status.json)
}

# vm_is NAME CONDITION: whether jq's CONDITION holds for the VM in poised's status.
vm_is() {
	status ".vms[] | select(.vm == \"$1\") | ($2)"
	[ "$status" = true ]
}

all_managed() {
	status '[.vms[].state == "managed"] | all'
	[ "$status" = true ]
}
