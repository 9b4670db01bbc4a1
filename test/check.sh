#!/bin/sh
# SPDX-License-Identifier: MIT
# What can be said of the source without running it. One PASS or FAIL line for each check, with the
# tool's own words below a FAIL.
#
#	check.sh DIR CC CXX CLANG CROSS NEWLIB	DIR: for intermediate files; CROSS: prefix for AArch64;
#						NEWLIB: headers of the board's C library
set -eu

dir=$1
cc=$2
cxx=$3
clang=$4
cross=$5
newlib=$6

rm -rf "$dir"
mkdir -p "$dir"

# Runs a command; it passes if it succeeds and says nothing.
check() {
	name=$1
	shift
	if "$@" >"$dir/log" 2>&1 && ! [ -s "$dir/log" ]; then
		echo "PASS: $name"
	else
		echo "FAIL: $name"
		head -n 40 "$dir/log"
	fi
}

# shellcheck source=test/style.sh
. "$(dirname "$0")/style.sh"

# All files of the tree that match, `build` excluded; names have no blanks.
files() {
	find core guestdrv board packaging port test .ci Makefile -type f \( "$@" \) | LC_ALL=C sort
}

# Reads a list variable of core/core.mk.
list() {
	sed -n "/^$1 :=/,/[^\\\\]\$/p" core/core.mk | sed "s/^$1 :=//; s/\\\\\$//"
}

c_files=$(files -name '*.[ch]')
core="$(list CORE_SRCS) $(list CORE_EXTRA_SRCS)"
headers=$(list CORE_HEADERS)
driver=$(list GUESTDRV_SRCS)
warnings='-std=c11 -Wall -Wextra -Wconversion -Wshadow -Wvla -Wundef -Wmissing-prototypes
	-Wstrict-prototypes -Werror'
target='-ffreestanding -mgeneral-regs-only -fno-stack-protector -fno-pic -fno-pie'
include='-Icore -Iguestdrv'

# --- layout and licence ---

# shellcheck disable=SC2086 # Lists of names and options are meant to be split, here and below.
style 'layout: clang-format agrees' clang-format --dry-run -Werror $c_files

# Buildroot's own checker wants its fragments to begin in another way: .reuse/dep5 speaks for those.
licence() {
	for file in $(files -name '*.[chS]' -o -name '*.cpp' -o -name '*.def' -o -name '*.ld' \
		-o -name '*.mk' -o -name '*.sh' -o -name '*.awk' -o -name Makefile -o -path .ci/run |
		grep -v '^packaging/buildroot/'); do
		head -n 2 "$file" | grep -q 'SPDX-License-''Identifier: MIT' || echo "$file"
	done
}
check 'licence: an SPDX line in each source file' licence

unfinished() {
	# The pattern is split so that this line does not find itself.
	files -name '*' | xargs grep -nE '\b(TO''DO|FIX''ME|X''XX)\b' || true
}
check 'nothing is left for later' unfinished

# What is read before it has a value is empty without a word: a test of nothing, for example. Only the
# builder's own may be.
unset_variables() {
	env -u MAKEFLAGS -u MAKELEVEL LC_ALL=C make -n --warn-undefined-variables SETUP=no help >/dev/null 2>"$dir/unset" || {
		cat "$dir/unset"
		return 1
	}
	sed -n "s/.*warning: undefined variable '\(.*\)'$/\1/p" "$dir/unset" | sort -u |
		grep -vxE 'C(PP)?FLAGS|LDFLAGS|KCFLAGS|KDIR|PKG_CONFIG_(LIBDIR|PATH|SYSROOT_DIR)' || true
}
check 'makefiles read no variable before it is set' unset_variables

# Scripts say of themselves that they are: by their first line.
scripts=$(files -name '*.sh' -o -path .ci/run)
# shellcheck disable=SC2086
style 'shellcheck has no remark' shellcheck $scripts

# --- headers ---

alone() {
	for header in $headers guestdrv/publish.h; do
		case $header in
		*.def | */poise_seq.h) continue ;; # A list; and the one that is for .c files only.
		esac
		# shellcheck disable=SC2086
		echo "#include \"$(basename "$header")\"" | "$@" $include -fsyntax-only -
	done
}
# shellcheck disable=SC2086
check "headers compile alone: $cc" alone $cc $warnings -x c
# shellcheck disable=SC2086
check "headers compile alone: $clang" alone "$clang" $warnings -x c
plus() {
	echo '#include "poise_abi.h"' |
		"$1" -x c++ -std=c++17 -Wall -Wextra -Werror -Icore -fsyntax-only -
}
for compiler in "$cxx" "$clang"; do
	check "shared page header compiles as C++17: $compiler" plus "$compiler"
done

# --- compilers ---

compile() {
	for source in $core $driver; do
		# shellcheck disable=SC2086
		"$@" $warnings $target $include -c "$source" -o "$dir/unit.o"
	done
}
for level in -O0 -O2 -Os; do
	check "no warning: ${cross}gcc $level" compile "${cross}gcc" $level
	check "no warning: $clang $level" compile "$clang" --target=aarch64-linux-gnu $level
done

# What GCC compiles anyway when it is built, clang has to like too; but for poise-vmm, which needs the
# headers of an arm64 Linux.
second() {
	for source in $(find "$@" -name '*.c' -not -path 'port/*/vmm/*' | LC_ALL=C sort); do
		# shellcheck disable=SC2086
		"$clang" $options -fsyntax-only "$source"
	done
}
# For "..." only: the board's sched.h is not the system's.
quoted=
for folder in port/common port/record port/xen-arm port/sim port/daemon port/template \
	board/guest board port/kvm-arm64 port/kvm-arm64/dirtylog port/kvm-arm64/vmm port/uml; do
	quoted="$quoted -iquote $folder"
done
all_warnings="$warnings -D_DEFAULT_SOURCE -DPOISE_VM_MAX=64 $include $quoted"
options=$all_warnings
check "no warning: $clang, ports" second port/common port/daemon port/kvm-arm64 port/record port/sim port/template \
	port/uml port/xen-arm
options=$(echo "$all_warnings" | sed 's/-Wconversion//')
check "no warning: $clang, tests of the host" second test/xen test/unit test/scenario test/fault test/fuzz test/same
options="$all_warnings --target=aarch64-linux-gnu $target -mstrict-align -nostdinc
	-isystem $($clang -print-resource-dir)/include -isystem $newlib"
check "no warning: $clang, board and its tests" second board guestdrv/bare test/qemu test/bench

check "no finding: ${cross}gcc -fanalyzer" compile "${cross}gcc" -O2 -fanalyzer

# --- the linked core ---

link() {
	rm -rf "$dir/core"
	mkdir -p "$dir/core"
	for source in $core; do
		# shellcheck disable=SC2086
		"${cross}gcc" $warnings $target $include -Os -fstack-usage -c "$source" \
			-o "$dir/core/$(basename "$source" .c).o"
	done
	"${cross}ld" -r -o "$dir/core.o" "$dir"/core/*.o
}
check 'the core links' link

undefined() {
	"${cross}nm" -u "$dir/core.o" | awk '$2 != "memcpy" && $2 != "memset"'
}
check 'the core needs memcpy and memset, nothing else' undefined

variables() {
	"${cross}nm" "$dir/core.o" | awk '$2 ~ /^[bBdDcC]$/'
}
check 'the core has no variables of its own' variables

names() {
	"${cross}nm" -g --defined-only "$dir/core.o" | awk '$3 !~ /^poise_/'
}
check 'every global name starts with poise_' names

stack() {
	cat "$dir"/core/*.su | awk -F '\t' '$2 > 512 || $3 != "static"'
}
check 'no core function needs more than 512 bytes of stack, or an unknown amount' stack

# --- dependencies ---

included() {
	# The core includes its own headers and freestanding ones; nobody includes upward.
	grep -hoE '^#include [<"][^>"]*' core/*.[ch] core/*.def | sort -u | while read -r _ name; do
		case $name in
		'<stddef.h' | '<stdint.h' | '<stdbool.h' | '<linux/stddef.h' | '<linux/types.h') ;;
		'"'*) [ -e "core/${name#?}" ] || echo "$name" ;;
		*) echo "$name" ;;
		esac
	done
	grep -nE '#include ".*/' guestdrv/*.[ch] || true
	grep -rnE '#include ".*board/' guestdrv || true
}
check 'the core includes freestanding headers only' included

conditionals() {
	# Behaviour is not chosen with #if: only header guards, sizes and the machine's barriers, and
	# what a C++ compiler has to be told.
	# The three public headers that do it are left out: page ABI, sequence protocol, configuration.
	grep -nE '^# *(if|ifdef|ifndef|elif)' core/*.[ch] |
		grep -vE '^core/poise_(abi|seq|config)\.h:|:#ifndef POISE_[A-Z_]*H$|:#ifdef __cplusplus$' || true
}
check 'no conditional compilation in the core' conditionals

# --- cppcheck ---

# shellcheck disable=SC2086
style 'cppcheck has no remark' cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr \
	--enable=warning,performance,portability --suppress=missingIncludeSystem $include $core \
	$driver
