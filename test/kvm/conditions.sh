# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What the failure cases wait for: each says by its status whether it holds now. Read by `.` after host.sh.
# shellcheck disable=SC2034,SC2154 # names are shared with host.sh

# errors: sets $errors to how many poised has counted.
errors() {
	status '[.errors[]] | add // 0'
	errors=${status:-0}
}

# errors_above N: whether poised has counted more errors than that.
errors_above() {
	errors
	[ "$errors" -gt "$1" ]
}

# repaid: whether the guests have no more than the pool, by what the watcher saw last.
repaid() {
	now
	[ ! -s /run/overdrawn.now ]
}

# pool_is MIB: whether that is what poised shares out.
pool_is() {
	status ".pool == $1 * 256"
	[ "$status" = true ]
}

# sum_at_most MIB: whether the guests have no more than that by what QEMU says.
sum_at_most() {
	sum=0
	for name in $NAMES; do
		size "$name"
		sum=$((sum + size))
	done
	[ "$sum" -le "$1" ]
}

# sizes_agree: whether poised and QEMU say the same of every guest.
sizes_agree() {
	for name in $NAMES; do
		size "$name"
		vm_is "$name" ".running and (.actual / 256 - $size | fabs) < 1" || return 1
	done
}

# reservations: whether nobody is below its reservation.
reservations() {
	for name in $NAMES; do
		size "$name"
		[ "$size" -ge "$MIN_MIB" ] || return 1
	done
}

# reservations_but NAME: whether nobody but that one is below its reservation.
reservations_but() {
	for name in $NAMES; do
		size "$name"
		[ "$name" = "$1" ] || [ "$size" -ge "$MIN_MIB" ] || return 1
	done
}

# stops_above NAME MIB: whether the balloon has stood still for three seconds, with more than that left.
stops_above() {
	status ".vms[] | select(.vm == \"$1\") | .actual"
	stood=$status
	sleep 3
	vm_is "$1" ".actual == $stood and .actual > $2 * 256"
}

# calm NAME: whether the guest swaps out next to nothing for five seconds.
calm() {
	field "$1" out
	swapped=$field
	sleep 5
	field "$1" out
	[ $((field - swapped)) -lt 64 ]
}

# healthy NAME: no process killed for lack of memory, no contents lost, none of its programs failed.
healthy() {
	field "$1" oom
	[ "$field" -eq 0 ] && ! said "$1" '^error'
}

# free_is_more PAGES: whether at least so much is free, and that and all charges are the pool.
free_is_more() {
	status ".free >= $1 and (.free + ([.vms[] | select(.running) | .charged] | add)) == .pool"
	[ "$status" = true ]
}

# ticks_above N: whether poised has made more than that.
ticks_above() {
	status .ticks
	[ "${status:-0}" -gt "$1" ]
}

# still: whether nobody has been moved for three seconds, and nobody is on the way.
still() {
	status '[.vms[].resizes] | add'
	asked_before=$status
	sleep 3
	status "([.vms[].resizes] | add) == $asked_before and ([.vms[] | .actual == .target] | all)"
	[ "$status" = true ]
}

# taken_up: sets $taken_up to how many histories all poiseds have taken up.
taken_up() {
	taken_up=$(grep -c "goes on with its history" /run/poise/poised.log)
}

# taken_up_since N COUNT: whether they are so many more than N.
taken_up_since() {
	taken_up
	[ "$taken_up" -eq $(($1 + $2)) ]
}
