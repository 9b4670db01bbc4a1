# SPDX-License-Identifier: MIT
# shellcheck shell=dash
# What the jobs in dom0 have in common; read by `.`. Everything waits for a condition, with a limit.
# A domain NAME is talked to by its console: `tell` writes a line, $LOGS/guest-NAME.log has all that
# it has said. Sizes are what Xen counts (xl list), swap-out what the guests' own kernels count.
PATH=$(echo /usr/lib/xen-*/bin):$PATH
export PATH
LOGS=/var/log/xen/console
NAMES="stream web game"
# shellcheck disable=SC2034 # for the jobs
SHARE_MIB=120 # a guest's part when all get the same
GUEST_MIB=192 # what a guest has been built with, and could grow to
SWAP_MIB=256 # all swap in use at most: what dom0 has left

now() {
	cut -d. -f1 /proc/uptime
}

die() {
	echo "FAIL: $*"
	exit 1
}

# await SECONDS COMMAND...: until the command succeeds. Fails when it has not by then.
await() {
	await_end=$(($(now) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(now)" -lt "$await_end" ] || return 1
		usleep 300000
	done
}

dom0_up() {
	mount -t xenfs xenfs /proc/xen
	mkdir -p /run/xen /run/xenstored /run/poise /var/lib/xen /var/lib/xenstored /var/lock "$LOGS"
	touch /etc/xen/xl.conf
	xenstored || die "xenstored does not start"
	await 60 xenstore-ls / || die "xenstored does not answer"
	xen-init-dom0 >/dev/null || die "xen-init-dom0"
	xenconsoled --log=guest || die "xenconsoled"
	# RAM disks take memory for what has been written only; the first is read by all, all zeroes.
	modprobe brd rd_nr=5 rd_size=$((SWAP_MIB * 1024)) || die "no RAM disks"
}

# domid NAME: its number. Remembered nowhere: a domain that is made anew has another one.
domid() {
	look domain "$1" | cut -d' ' -f1 | grep .
}

# node NAME PATH: a node of the domain in xenstore.
node() {
	xenstore-read "/local/domain/$(domid "$1")/$2" 2>/dev/null
}

# swap_device NAME: a RAM disk of dom0: what is counted is pages moved, not a disk's speed.
swap_device() {
	case $1 in
	stream) echo /dev/ram1 ;;
	web) echo /dev/ram2 ;;
	game) echo /dev/ram3 ;;
	*) echo /dev/ram4 ;;
	esac
}

# domain_start NAME [MIB]: builds and starts it; does not wait until it is ready.
domain_start() {
	cat >"/etc/xen/$1.cfg" <<END
name = "$1"
kernel = "/boot/vmlinuz"
ramdisk = "/boot/domu.cpio"
memory = ${2:-$GUEST_MIB}
maxmem = ${2:-$GUEST_MIB}
vcpus = 1
acpi = 0
extra = "console=hvc0 quiet panic=-1 cma=0"
disk = [ "format=raw,vdev=xvda,access=rw,script=block-poise,target=$(swap_device "$1")",
	"format=raw,vdev=xvdb,access=ro,script=block-poise,target=/dev/ram0" ]
on_poweroff = "destroy"
on_reboot = "destroy"
on_crash = "destroy"
END
	: >"$LOGS/guest-$1.log"
	# -e: xl does not stay to look after it.
	xl create -q -e "/etc/xen/$1.cfg" || die "$1 cannot be created"
}

# tell NAME COMMAND: to the guest's shell.
tell() {
	tty=$(node "$1" console/tty) || return 1
	echo "$2" >"$tty"
}

# said NAME PATTERN: whether the guest has said such a line since its log was emptied.
said() {
	tr -d '\r' <"$LOGS/guest-$1.log" | grep -q -- "$2"
}

# field NAME KEY: a number of the guest's latest report; 0 before there is one.
field() {
	tr -d '\r' <"$LOGS/guest-$1.log" | sed -n "s/^stat .*\\b$2=\\([0-9]*\\).*/\\1/p" |
		tail -n 1 | grep . || echo 0
}

# forget NAME: empties its log.
forget() {
	: >"$LOGS/guest-$1.log"
}

# size_mib NAME: what Xen says it has, without the few pages beyond its memory; 0 if it is not there.
size_mib() {
	look domain "$1" | awk '{ size = int($2 / 256) } END { print size + 0 }'
}

size_is() {
	[ "$(size_mib "$1")" -eq "$2" ]
}

# sum_mib: all of them together, by one look, rounded up.
sum_mib() {
	look sum | awk '{ print int(($1 + 255) / 256) }'
}

# target_set NAME KIB: as an administrator does it. (For a domain whose configuration does not say
# `acpi = 0`, xl mem-set of Xen 4.17 ends by an assertion of its own on ARM.)
target_set() {
	xl mem-set "$1" "$2k" || die "xl mem-set $1 $2k"
}

# guests_ready: all of them talk and have announced their pages.
guests_ready() {
	for name in $NAMES; do
		await 120 said "$name" '^ready' || die "$name does not start: $(tail -n 3 "$LOGS/guest-$name.log")"
		await 60 node "$name" data/poise/generation || die "$name announces no page"
	done
}

# status KEY [NAME]: from poised's status.
status() {
	poisectl status --json | tr -d '\n ' | if [ $# -eq 1 ]; then
		sed -n "s/.*\"$1\":\"\\{0,1\\}\\([^,\"}]*\\).*/\\1/p"
	else
		sed -n "s/.*{\\([^{}]*\"vm\":\"$2\".*\\)/\\1/p" |
			sed -n "s/^[^{]*\"$1\":\"\\{0,1\\}\\([^,\"}]*\\).*/\\1/p"
	fi
}

# poised_start: and waits until it answers. Its log is /tmp/poised.log. POISED_PRELOAD: a library that
# is put before its others.
poised_start() {
	env ${POISED_PRELOAD:+LD_PRELOAD=$POISED_PRELOAD} poised --config /etc/poised.conf >>/tmp/poised.log 2>&1 &
	# shellcheck disable=SC2034 # for the jobs
	poised_pid=$!
	await 60 poisectl status || die "poised does not answer: $(tail -n 3 /tmp/poised.log)"
}

is_managed() {
	[ "$(status state "$1")" = managed ]
}

all_managed() {
	for name in $NAMES; do
		await 60 is_managed "$name" || die "poised does not manage $name: $(poisectl status)"
	done
}
