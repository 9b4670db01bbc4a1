#!/bin/sh
# SPDX-License-Identifier: MIT
# What can go wrong under real KVM, run by the emulated host: three guests, poised, and one fault
# after the other. A line PASS or FAIL for each expectation. All the while a watcher adds up what QEMU
# says the guests have, and what the kernel says they hold: never more than the pool. Leaves in /out
# poised's recordings, one for each start of poised, and what everyone said.
# shellcheck source=/dev/null disable=SC2034,SC2154 # names are shared with the others
. /lib/host.sh
. /lib/conditions.sh
. /lib/watcher.sh

mkdir -p /out
recordings=0

# expect SECONDS WHAT CONDITION...: PASS if the condition holds within that time.
expect() {
	limit=$1
	what=$2
	shift 2
	if await "$limit" "$@"; then
		echo "PASS $case: $what"
	else
		echo "FAIL $case: $what"
		failed=1
		describe
	fi
}

# describe: what helps to understand a failure.
describe() {
	poisectl --socket "$SOCKET" status 2>&1 | sed 's/^/  /'
	tail -n 4 /run/poise/poised.log | sed 's/^/  /'
	for name in $NAMES; do
		echo "  $name: $(cat "$VM/$name.stat") $(tail -n 1 "$VM/$name.log")"
	done
}

# --- tools of the cases ---

start_poised() {
	recordings=$((recordings + 1))
	RECORD=/out/cases-$recordings.txt
	read -r pool </run/pool
	poised_conf "$pool"
	poised_start
}

# need NAME MIB: the guest suddenly needs, and touches, so much more. Another number in each case, as what
# guests have said stays.
need() {
	tell "$1" "start load need $2"
}

# need_no_more NAME
need_no_more() {
	tell "$1" "killall load; start load watch"
}

settle() {
	for name in $NAMES; do
		need_no_more "$name"
	done
	expect 90 "all are managed again" all_managed
	expect 60 "the pool is whole" repaid
	may_exceed 0
}

# --- the cases ---

# What poised costs while nobody needs anything: three guests, a sample a second. The figure is of the emulated
# machine, where an instruction is a nanosecond, so it is the same on a fast and on a busy computer.
case_idle() {
	poised_cpu
	before=$cpu
	sleep 20
	poised_cpu
	echo "poised idle: $(((cpu - before) / 20)) us of CPU a second at 1 GHz"
	expect 1 "poised needs less than 0.1 % of a CPU" [ $((cpu - before)) -lt 20000 ]
}

# No forecast sees that coming, and it is more than the guest has free. Meanwhile somebody notes when guests
# call for help, so that poised's recording shows how long they waited.
case_urgent() {
	pages=
	for name in $NAMES; do
		pages="$pages /dev/shm/poise-$name"
	done
	# shellcheck disable=SC2086 # a list
	words $pages >/out/words.log &
	words_pid=$!
	tell game "start load grab 72"
	expect 40 "a guest that grabs memory gets it" size_at_least game $((SHARE_MIB + 4))
	expect 20 "the guest's program has all its memory" said game '^has 72'
	kill "$words_pid"
	expect 5 "it had to call for help" test -s /out/words.log
	expect 10 "nobody is below its reservation" reservations
}

case_need() {
	need game 64
	expect 40 "a guest that needs more gets it" size_at_least game $((SHARE_MIB + 8))
	expect 20 "the guest's program has all its memory" said game '^has 64'
	expect 10 "nobody is below its reservation" reservations
}

# Nobody but kernel threads takes memory meanwhile, or the kernel would have to kill somebody.
case_short() {
	tell web "killall load; start load pin 44"
	expect 20 "the guest holds what it needs" said web '^pinned 44'
	poisectl --socket "$SOCKET" set web "min=64M" && poisectl --socket "$SOCKET" set web "boot=64M" &&
		poisectl --socket "$SOCKET" set web "max=64M"
	expect 20 "poised asks for the impossible" vm_is web '.target == 64 * 256'
	expect 30 "the balloon stops short of it" stops_above web 66
	expect 5 "the guest is charged for what it has" vm_is web '.charged >= .actual'
	expect 10 "the others keep their reservations" reservations_but web
	poisectl --socket "$SOCKET" set web "max=${GUEST_MIB}M" &&
		poisectl --socket "$SOCKET" set web "boot=${SHARE_MIB}M" &&
		poisectl --socket "$SOCKET" set web "min=${MIN_MIB}M"
	need_no_more web
}

case_module() {
	tell web "rmmod poise_guest"
	expect 30 "poised goes by virtio-balloon's statistics" vm_is web '.source == "stats"'
	expect 10 "nobody is below its reservation" reservations
	tell web "modprobe poise_guest"
	expect 30 "poised goes by the page again" vm_is web '.source == "page"'
}

case_scribble() {
	errors
	before=$errors
	tell web "rmmod poise_guest; start lie scribble 120"
	expect 20 "bad pages are counted" errors_above "$before"
	expect 10 "the others are managed as before" vm_is game '.state == "managed"'
	expect 10 "nobody is below its reservation" reservations
	tell web "killall lie; modprobe poise_guest"
}

# What its program needs and no more, since the policy has no lasting claim of somebody who is always short
# give way to another's comfort: about nine tenths of the share here.
case_liar() {
	field stream out
	before=$field
	tell web "rmmod poise_guest; start lie starve 120"
	sleep 4
	need game 50
	expect 60 "a guest in need gets what its program needs besides" said game '^has 50'
	expect 60 "and has nine tenths of its share" size_at_least game $((SHARE_MIB * 9 / 10))
	expect 5 "nobody is below its reservation" reservations
	expect 60 "the guest in need stops swapping" calm game
	field stream out
	expect 1 "the third has not swapped" [ $((field - before)) -lt 64 ]
	tell web "killall lie; modprobe poise_guest"
}

case_killed() {
	status .free
	free=$status
	guest_kill web
	expect 15 "poised notices that the guest is gone" vm_is web '.running | not'
	expect 10 "its memory is free, and counted once" free_is_more "$free"
	need game 84
	expect 40 "another guest can use it" size_at_least game 140
	expect 5 "the others keep their reservations" reservations_but web
	need_no_more game
	may_exceed "$GUEST_MIB"
	guest_start web
	expect 60 "the guest starts again" guest_ready web
}

case_reboot() {
	status '.vms[] | select(.vm == "web") | .restarts'
	before=$status
	: >"$VM/web.log"
	may_exceed "$GUEST_MIB"
	monitor web system_reset
	expect 20 "poised notices the reset" vm_is web ".restarts > $before"
	expect 60 "the guest boots again" guest_ready web
	expect 60 "what the guest took is repaid" repaid
	expect 10 "nobody is below its reservation" reservations
}

case_stopped() {
	status .ticks
	before=$status
	# Its last answer, which the watcher goes by while it gives none, has to be a true one.
	monitor web "info balloon"
	usleep 500000
	kill -STOP "$(guest_pid web)"
	need game 48
	sleep 10
	expect 1 "poised goes on without an answer" ticks_above $((before + 8))
	expect 20 "another guest got its share" said game '^has 48'
	kill -CONT "$(guest_pid web)"
	expect 30 "no alarm is left" vm_is web '.alarms | length == 0'
	expect 10 "nobody is below its reservation" reservations
}

# The connection to a QEMU breaks while it grows, stays away, and comes back. Meanwhile somebody else has
# told that QEMU another size.
case_qmp() {
	status '.vms[] | select(.vm == "web") | .starts'
	starts=$status
	need web 76
	expect 20 "the guest grows" size_at_least web $((SHARE_MIB + 4))
	relay_kill
	expect 20 "poised notices that the connection is gone" vm_is web '.alarms == ["down"]'
	expect 5 "the VM is there, and is charged for what it was to have" \
		vm_is web ".running and .starts == $starts and .charged >= .target and .source == \"page\""
	need game 30
	expect 40 "another guest gets its share" said game '^has 30'
	expect 5 "nobody is below its reservation" reservations
	monitor web "balloon 96"
	expect 30 "the guest has another size than poised has asked for" size_at_most web 96
	expect 5 "the others keep their reservations" reservations
	relay_start web
	expect 20 "poised connects anew" vm_is web '(.alarms | length == 0) and .backend == "ready"'
	expect 20 "poised finds the true sizes" sizes_agree
	expect 40 "the guest gets what it needs" size_at_least web 130
	expect 20 "the guest's program has all its memory" said web '^has 76'
	expect 5 "the guest was never taken for another one" vm_is web ".starts == $starts"
	expect 10 "nobody is below its reservation" reservations
}

# poised ends and another one takes its place: it goes on with what is known of each guest. What it decides then is
# compared with what the first would have decided, from both recordings, by test.sh.
case_history() {
	need web 40
	expect 40 "a guest gets what it needs" said web '^has 40'
	expect 60 "nobody is moved any more" still
	kill "$poised_pid"
	expect 20 "poised ends" gone "$poised_pid"
	taken_up
	before=$taken_up
	expect 20 "poised starts again" start_poised
	expect 20 "it takes up the history of each guest" taken_up_since "$before" 3
	expect 5 "no guest has lost it since" all_managed
	need game 56
	expect 40 "a guest that needs more gets it" said game '^has 56'
	expect 10 "nobody is below its reservation" reservations
	echo "$recordings" >/out/history
}

# Killed while a guest that is to grow cannot answer: what it was asked for, it does when nobody remembers.
case_sigkill() {
	kill -STOP "$(guest_pid game)"
	poisectl --socket "$SOCKET" set game "boot=130M" && poisectl --socket "$SOCKET" set game "min=130M"
	expect 20 "memory is on its way" vm_is game '.target > .actual'
	kill -9 "$poised_pid"
	await 10 gone "$poised_pid"
	kill -CONT "$(guest_pid game)"
	taken_up
	before=$taken_up
	expect 20 "poised starts again" start_poised
	expect 20 "it takes up the history of each guest" taken_up_since "$before" 3
	expect 60 "poised finds the true sizes" sizes_agree
	expect 60 "all are managed" all_managed
	need game 60
	expect 40 "the guest gets what it needs" said game '^has 60'
	expect 10 "nobody is below its reservation" reservations
}

case_pool() {
	read -r pool </run/pool
	poised_conf 270
	kill -HUP "$poised_pid"
	expect 20 "the pool is smaller" pool_is 270
	expect 60 "the guests have given back" sum_at_most 270
	echo 270 >/run/pool
	expect 10 "nobody is below its reservation" reservations
	poised_conf "$pool"
	kill -HUP "$poised_pid"
	expect 20 "the pool is as before" pool_is "$pool"
	echo "$pool" >/run/pool
}

failed=
case=start
RELAYED=web
host_prepare
echo "$POOL_MIB" >/run/pool
: >/run/overdrawn.now
may_exceed 0
expect 200 "guests start" guests_start
expect 20 "the relay starts" relay_start web
expect 20 "poised starts" start_poised
expect 30 "all guests are managed" all_managed
watcher &
watcher_pid=$!

# poise.cases=NAME,...: only these.
cases=$(sed -n 's/.*poise.cases=\([a-z,]*\).*/\1/p' /proc/cmdline | tr , ' ')
for case in ${cases:-idle urgent need module scribble liar short qmp stopped killed reboot history sigkill pool}; do
	"case_$case"
	settle
done

case=end
kill "$watcher_pid"
for name in $NAMES; do
	expect 1 "$name has lost no page and no process" healthy "$name"
done
status .check_failures
expect 1 "every invariant held at every tick" [ "$status" = 0 ]
expect 1 "the sum of sizes was never above the pool" [ ! -s /out/overdrawn.log ]
expect 1 "the sum of what is held was never above the pool" [ ! -s /out/overheld.log ]
kill "$poised_pid"
expect 20 "poised ends" gone "$poised_pid"
guests_kill
relay_kill
echo "$recordings" >/out/recordings
cp "$VM"/*.log "$VM"/*.console "$VM"/*.qemu /run/poise/*.log /out
[ -z "$failed" ]
