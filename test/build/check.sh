# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# shellcheck disable=SC2154 # dir is the script's.
# What the tests of the build share, for scripts that have set $dir, a folder for what their commands say.

# What make handed down to a test would decide in the makes that it starts.
unset MAKEFLAGS MAKELEVEL MFLAGS MAKEOVERRIDES OUT CC CXX AR CFLAGS CPPFLAGS LDFLAGS PREFIX DESTDIR XEN V

# Runs a command; it passes if it succeeds and says nothing.
check() {
	name=$1
	shift
	if "$@" >"$dir/log" 2>&1 && ! [ -s "$dir/log" ]; then
		echo "PASS: $name"
	else
		echo "FAIL: $name"
		head -n 10 "$dir/log"
		tail -n +11 "$dir/log" | tail -n 20
	fi
}

# A command that need not be silent, unless it fails.
quietly() {
	"$@" >"$dir/quiet" 2>&1 || {
		cat "$dir/quiet"
		return 1
	}
}
