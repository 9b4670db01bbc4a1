# SPDX-License-Identifier: MIT
# shellcheck shell=dash disable=SC2154 # Names are shared with the jobs.
# How a job in dom0 judges what poised does; read by `.` after dom0.sh. All the time another program
# (look) asks Xen itself. What has to hold is in files of $WATCH: pool and min in MiB, free (of Xen's
# memory) likewise, ignore: numbers of domains that are not poised's.
WATCH=/tmp/watch
LOOK_LOG=/tmp/look.log
CONF=/etc/poised.conf
failed=

pass() {
	echo "PASS: xen: $* ($(now) s)"
}

fail() {
	echo "FAIL: xen: $*"
	poisectl status 2>&1 | sed 's/^/  /'
	tail -n 4 /tmp/poised.log | sed 's/^/  /'
	failed=1
}

# expect WISH SECONDS COMMAND...
expect() {
	wish=$1
	seconds=$2
	shift 2
	if await "$seconds" "$@"; then
		pass "$what: $wish"
	else
		fail "$what: $wish"
	fi
}

watch_start() {
	look watch $WATCH >$LOOK_LOG 2>&1 &
	look_pid=$!
}

# begin WHAT [OTHERS...]: a case. OTHERS are the VMs that must not notice.
begin() {
	what=$1
	shift
	others=$*
	log_from=$(lines_of /tmp/poised.log)
	look_from=$(lines_of $LOOK_LOG)
	for name in $others; do
		eval "starts_$name=$(status starts "$name") oom_$name=$(field "$name" oom)"
	done
}

# end [MESSAGE...]: what holds in each case, whatever was played: Xen's own count, the others, what
# poised says (in its log since `begin`).
end() {
	if ! await 30 watched; then
		fail "$what: Xen's own count: nobody has watched"
	elif since_begin $LOOK_LOG "$look_from" | grep -q '^broken'; then
		fail "$what: Xen's own count: $(since_begin $LOOK_LOG "$look_from" | grep -m 1 '^broken')"
	else
		pass "$what: never above the pool, nobody below its reservation, by Xen's own count"
	fi
	unfit=
	for name in $others; do
		await 20 fine "$name" || unfit="$unfit $name"
	done
	if [ -n "$unfit" ]; then
		fail "$what: others notice:$unfit"
	elif [ -n "$others" ]; then
		pass "$what: the others do not notice ($others)"
	fi
	for message; do
		expect "says: $message" 10 says "$message"
	done
	[ "$(status check_failures)" = 0 ] || fail "$what: an invariant of the core is broken"
}

lines_of() {
	wc -l <"$1"
}

since_begin() {
	tail -n +$(($2 + 1)) "$1"
}

watched() {
	since_begin $LOOK_LOG "$look_from" | grep -q '^looked'
}

says() {
	since_begin /tmp/poised.log "$log_from" | grep -q -- "$1"
}

# fine NAME: managed with fresh statistics, never taken for another, no alarm, nothing killed in it
# since `begin`.
fine() {
	eval "starts=\$starts_$1 oom=\$oom_$1"
	is_managed "$1" && [ "$(status starts "$1")" = "$starts" ] &&
		poisectl status --json | tr -d '\n ' | grep -q "\"vm\":\"$1\"[^{}]*\"alarms\":\[\]" &&
		[ "$(field "$1" oom)" = "$oom" ]
}

backend_is() {
	[ "$(status backend "$1")" = "$2" ]
}

state_is() {
	[ "$(status state "$1")" = "$2" ]
}

detail_has() {
	poisectl status --json | tr -d '\n' | grep -q -- "$1"
}


sum_at_most() {
	[ "$(sum_mib)" -le "$1" ]
}

sum_at_least() {
	[ "$(sum_mib)" -ge "$1" ]
}

size_at_least() {
	[ "$(size_mib "$1")" -ge "$2" ]
}

size_at_most() {
	[ "$(size_mib "$1")" -le "$2" ]
}

# pool_set MIB: in the file, and poised told so.
pool_set() {
	conf_set pool "\"$1M\""
	kill -HUP "$poised_pid"
}

# conf_set KEY VALUE: a line of the configuration file.
conf_set() {
	sed -i "s/^$1 = .*/$1 = $2;/" $CONF
	grep -q "^$1 = $2;" $CONF || die "no $1 in $CONF"
}

# shrink_to MIB: the pool is made smaller, the sum comes down to it, and is held to it from then on.
shrink_to() {
	pool_set "$1"
	expect "the sum comes down to $1 MiB" 90 sum_at_most "$1"
	echo "$1" >$WATCH/pool
}

# grow_to MIB: the pool is made larger.
grow_to() {
	echo "$1" >$WATCH/pool
	pool_set "$1"
}

# kill_poised: as if it had crashed.
kill_poised() {
	kill -9 "$poised_pid"
	wait "$poised_pid"
}

# verdict: at the end of a job.
verdict() {
	kill "$poised_pid"
	if wait "$poised_pid"; then
		pass "poised ends in peace"
	else
		fail "poised ended with $?"
	fi
	kill "$look_pid"
	cp /tmp/poised.log $LOOK_LOG "$LOGS"/* /out/
	[ -z "$failed" ]
}
