#!/bin/sh
# SPDX-License-Identifier: MIT
# What can be said of poise-vmm's source without running it. One PASS or FAIL line for each check.
#
#	vmm-source.sh SYSROOT CLANG CROSS-GCC GUEST-SOURCE SOURCE...
#
# SYSROOT: of the arm64 Linux that it runs on, with that system's own kernel headers.
set -eu

sysroot=$1
clang=$2
gcc=$3
guest=$4
shift 4
warnings='-std=c11 -O2 -Wall -Wextra -Wconversion -Wshadow -Wvla -Wundef -Wmissing-prototypes
	-Wstrict-prototypes -Werror'
include='-Icore -Iguestdrv -Iport/record'
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# A command passes if it succeeds and says nothing.
check() {
	name=$1
	shift
	if "$@" >"$out/log" 2>&1 && ! [ -s "$out/log" ]; then
		echo "PASS: $name"
	else
		echo "FAIL: $name"
		head -n 40 "$out/log"
	fi
}

# shellcheck source=test/style.sh
. "$(dirname "$0")/../style.sh"

# shellcheck disable=SC2086 # Lists of options are meant to be split, here and below.
compile() {
	compiler=$1
	shift
	for source; do
		$compiler $warnings $include -D_GNU_SOURCE -c "$source" -o "$out/unit.o"
	done
}
check "no warning: $clang" compile "$clang --target=aarch64-linux-gnu --sysroot=$sysroot" "$@"
check "no warning: $clang, guest" compile \
	"$clang --target=aarch64-linux-gnu -ffreestanding -mgeneral-regs-only" "$guest"
check "no finding: $gcc -fanalyzer" compile "$gcc --sysroot=$sysroot -fanalyzer" "$@"
# shellcheck disable=SC2086
style 'cppcheck has no remark' cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr \
	--enable=warning,performance,portability --suppress=missingIncludeSystem $include "$@" "$guest"
