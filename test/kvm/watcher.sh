# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What runs beside the failure cases: adds up what QEMU says the guests have, and what the kernel says they
# hold, and notes in /out when either is more than the pool. Read by `.` after host.sh.
# shellcheck disable=SC2034,SC2154 # names are shared with host.sh

# resident NAME: sets $resident to the guest's memory that the host really holds, in MiB.
resident() {
	resident=$(awk -v kib=$((GUEST_MIB * 1024)) '
		$1 == "Size:" { ram = $2 == kib }
		$1 == "Rss:" && ram { sum += $2 }
		END { print int(sum / 1024) }' "/proc/$(guest_pid "$1")/smaps" 2>/dev/null)
	resident=${resident:-0}
}

# all_fresh: whether each QEMU that runs has answered the watcher.
all_fresh() {
	for name in $NAMES; do
		[ -s "$VM/$name.fresh" ] || gone "$(guest_pid "$name")" || return 1
	done
}

# ask_all: asks all QEMUs for their sizes. One that is stopped does not answer: its last answer counts.
ask_all() {
	for name in $NAMES; do
		rm -f "$VM/$name.fresh"
		monitor "$name" "info balloon"
	done
	await 2 all_fresh
	for name in $NAMES; do
		[ -s "$VM/$name.fresh" ] || cp "$VM/$name.size" "$VM/$name.fresh" 2>/dev/null
	done
}

# take_sum: sets $sum to what the guests have at one moment, in MiB. They do not answer at the same time, and
# one that shrinks after its answer and one that grows before its own would count for more than both ever had.
# So all are asked twice, and each counts with the smaller answer: between the two rounds it had as much, unless
# it turned twice meanwhile.
take_sum() {
	sum=0
	ask_all
	for name in $NAMES; do
		cp "$VM/$name.fresh" "/run/first.$name" 2>/dev/null
	done
	ask_all
	for name in $NAMES; do
		if ! gone "$(guest_pid "$name")"; then
			read -r first <"/run/first.$name"
			read -r second <"$VM/$name.fresh"
			sum=$((sum + (first < second ? first : second)))
		fi
	done
}

# may_exceed MIB: until the case is over, the sum may be so much above the pool, which then has to be repaid: QEMU
# itself gives a guest that starts anew all its memory back.
may_exceed() {
	echo "$1" >/run/excess
}

# watcher: every other second.
watcher() {
	while :; do
		take_sum
		held=0
		for name in $NAMES; do
			if ! gone "$(guest_pid "$name")"; then
				resident "$name"
				held=$((held + resident))
			fi
		done
		read -r pool </run/pool
		read -r excess </run/excess
		now
		line="$now s: $sum MiB by QEMU, $held MiB held, of $pool"
		if [ "$sum" -gt "$pool" ]; then
			echo "$line" >/run/overdrawn.now
			[ "$sum" -le $((pool + excess)) ] || echo "$line" >>/out/overdrawn.log
		else
			: >/run/overdrawn.now
		fi
		[ "$held" -le "$pool" ] || echo "$line" >>/out/overheld.log
		echo "$line" >>/out/watch.log
		sleep 2
	done
}
