#!/bin/sh
# SPDX-License-Identifier: MIT
# Tests guard.sh, by machines that hang, talk for ever, are killed or interrupted.
#
#	guard_test.sh DIR EARLY_ELF MAKE QEMU [FLAGS...]	DIR: for intermediate files
# A line PASS or FAIL for each expectation.
set -u

dir=$1
image=$2
make=$3
shift 3
guard=$(dirname "$0")/guard.sh
rm -rf "$dir"
mkdir -p "$dir"

# result NAME: by the status of the command before.
result() {
	if [ $? -eq 0 ]; then
		echo "PASS guard: $1"
	else
		echo "FAIL guard: $1"
		tail -n 3 "$dir/log"
	fi
}

# start FAULT OPTIONS OF guard.sh... -- QEMU FLAGS...: boots the image in the background and waits until it
# has said something; its status will be in DIR/status. A background process of a script ignores SIGINT: this one must not.
start() {
	rm -f "$dir/pid" "$dir/status" "$dir/log"
	fault=$1
	shift
	options=
	while [ "$1" != -- ]; do
		options="$options $1"
		shift
	done
	shift
	{
		# shellcheck disable=SC2086 # Options are meant to be split.
		env --default-signal=HUP,INT,TERM "$guard" $options "$@" -pidfile "$dir/pid" -kernel "$image" \
			-semihosting-config "enable=on,target=native,arg=fault=$fault" >"$dir/log" 2>&1 &
		echo $! >"$dir/guard"
		wait $! 2>/dev/null
		echo $? >"$dir/status"
	} &
	until [ -s "$dir/log" ] || [ -s "$dir/status" ]; do
		sleep 0.1
	done
	pid=$(cat "$dir/pid" 2>/dev/null) # QEMU removes the file at its end.
}

# gone: waits for the end of the emulator, two minutes at most.
gone() {
	turns=0
	while [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; do
		sleep 0.1
		turns=$((turns + 1))
		[ $turns -lt 1200 ] || return 1
	done
}

# ended STATUS [WORDS]: the emulator goes, guard.sh had that status, and has said that.
ended() {
	wait
	gone || return 1
	[ "$(cat "$dir/status")" -eq "$1" ] && { [ $# -eq 1 ] || grep -q "$2" "$dir/log"; }
}

start hang -q 3 -- "$@"
ended 124 'has said nothing for 3 s'
result "a machine that is silent"

start talk -t 3 -l "$dir/copy" -- "$@"
ended 124 'has not come to an end within 3 s' && tail -n 1 "$dir/copy" | grep -q '^guard: '
result "a machine that talks for ever"

start panic -- "$@"
ended 1 'early -5 7 ff'
result "an end of its own, with its words and status"

for signal in HUP=129 INT=130 TERM=143; do
	start hang -- "$@"
	kill -"${signal%=*}" "$(cat "$dir/guard")"
	ended "${signal#*=}"
	result "SIG${signal%=*} to the guard: no success, nothing left"
done

start hang -- "$@"
kill "$pid"
ended 143 'terminating on signal'
result "SIGTERM to the emulator: no success"

start hang -- "$@"
kill -KILL "$(cat "$dir/guard")"
wait
gone
result "SIGKILL to the guard: nothing left"

# make run itself: Ctrl-C goes to all processes of a terminal, kill to make alone.
for signal in INT TERM KILL; do
	rm -f "$dir/pid"
	setsid env --default-signal=HUP,INT,TERM -u MAKEFLAGS -u MAKELEVEL "$make" run OUT="$dir/../.." JOBS=1 \
		QEMU="$1 -pidfile $dir/pid" >"$dir/log" 2>&1 &
	group=$!
	until [ -s "$dir/pid" ] || ! kill -0 $group 2>/dev/null; do
		sleep 0.1
	done
	pid=$(cat "$dir/pid" 2>/dev/null)
	case $signal in
	INT) kill -INT -$group ;;
	*) kill -$signal $group ;;
	esac
	! wait $group && [ -n "$pid" ] && gone
	result "make run and SIG$signal: no success, nothing left"
done
