# SPDX-License-Identifier: MIT
# shellcheck shell=dash
# The programs of the Smart TV scenario in three domains; read by `.` after dom0.sh.
# play MODE leaves the numbers of its run in variables MODE_out_NAME, MODE_in_NAME, MODE_refault_NAME;
# sum_of MODE_out adds them up.
# Of the phases' lengths: percent=N among the kernel's arguments, or 40.
PERCENT=$(sed -n 's/.*\bpercent=\([0-9]\{1,3\}\).*/\1/p' /proc/cmdline)
PERCENT=${PERCENT:-40}

# play MODE: all three programs from start to end; a live line every two seconds.
play() {
	for name in $NAMES; do
		for key in out in refault; do
			eval "${key}_before_$name=$(field "$name" $key)"
		done
		forget "$name"
		tell "$name" "start load $name $PERCENT"
	done
	play_end=$(($(now) + 240))
	play_from=$(now)
	until ended; do
		[ "$(now)" -lt "$play_end" ] || die "the programs do not end: $(tail -n 2 "$LOGS"/guest-*.log)"
		live "$1"
		sleep 2
	done
	for name in $NAMES; do
		said "$name" '^error' && die "$name: $(grep '^error' "$LOGS/guest-$name.log")"
		sleep 1.1 # a last report
		for key in out in refault; do
			eval "$1_${key}_$name=$(since "$name" $key)"
		done
	done
}

# since NAME KEY: how far a counter has come since the programs were started.
since() {
	counter=$(field "$1" "$2")
	eval "before=\$${2}_before_$1"
	# shellcheck disable=SC2154 # It has been set by eval.
	echo $((counter > before ? counter - before : 0))
}

ended() {
	for name in $NAMES; do
		said "$name" '^end' || said "$name" '^error' || return 1
	done
}

live() {
	line=$(printf '%-8s %3d s ' "$1" $(($(now) - play_from)))
	for name in $NAMES; do
		line="$line $(printf '| %-6s %3d MiB, swapped %6d' "$name" "$(size_mib "$name")" \
			"$(since "$name" out)")"
	done
	echo "$line"
}

# Back to an equal share and empty swap.
rest() {
	for name in $NAMES; do
		forget "$name"
		tell "$name" "swapoff -a; swapon /dev/xvda; echo 3 >/proc/sys/vm/drop_caches; echo rested"
	done
	for name in $NAMES; do
		await 60 said "$name" '^rested' || die "$name does not come to rest"
	done
}

sum_of() {
	total=0
	for name in $NAMES; do
		total=$((total + $(eval "echo \$$1_$name")))
	done
	echo "$total"
}

row() {
	printf '%-28s %10s %12s\n' "$@"
}
