#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds a copy of the Linux module with more warnings than the kernel asks for, all of them errors, and
# under sparse.
#	check.sh DIR MAKE...	DIR: the copy; MAKE...: the kernel's make with its variables
set -u

dir=$(realpath "$1")
shift
module=$dir/guestdrv/linux
ours='guestdrv/|core/poise'

# Headers of the kernel are not clean under the warnings that are taken out.
if "$@" M="$module" W=1 KCFLAGS='-Werror -Wextra -Wshadow=local -Wvla -Wno-unused-parameter
	-Wno-sign-compare -Wno-missing-field-initializers' modules >"$dir/warnings.log" 2>&1; then
	echo "PASS: module: no warning"
else
	echo "FAIL: module: warnings"
	cat "$dir/warnings.log"
fi

"$@" M="$module" clean >/dev/null 2>&1
# Remarks of sparse's that the kernel's own macros draw, such as the newer module_init.
silent='-Wno-declaration-after-statement -Wno-constant-suffix -Wno-constexpr-not-const'
"$@" M="$module" C=2 CHECK="sparse -Wsparse-all $silent" modules \
	>"$dir/sparse.log" 2>&1
status=$?
# What a header of the kernel says of itself is not ours.
if [ "$status" -eq 0 ] && ! grep -E "($ours)[^:]*:[0-9]+:[0-9]+: (warning|error)" "$dir/sparse.log"; then
	echo "PASS: module: sparse has no remark"
else
	echo "FAIL: module: sparse, status $status"
	tail -n 20 "$dir/sparse.log"
fi

# Everything that the module takes from the kernel is exported to modules of its licence, or modpost
# would have failed; and nothing of its own is exported or global that another module could clash with.
if grep -q "$(printf '\tpoise_')" "$module/Module.symvers"; then
	echo "FAIL: module: exports symbols"
else
	echo "PASS: module: exports nothing"
fi
