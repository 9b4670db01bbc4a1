#!/bin/sh
# SPDX-License-Identifier: MIT
# The headers and sources in the hands of others: each standard of C and C++, both compilers, link time
# optimisation, a hypervisor in C++, and machines of the other byte order, which are refused.
#
#	languages.sh DIR CC CXX CLANG CROSS	DIR: for intermediate files; CROSS: prefix for AArch64
set -eu

dir=$1
cc=$2
cxx=$3
clang=$4
cross=$5
here=$(dirname "$0")
rm -rf "$dir"
mkdir -p "$dir"

include='-Icore -Iguestdrv -Iport/record -Iport/template'
strict='-pedantic-errors -Wall -Wextra -Werror'
headers=$(printf '%s\n' core/poise*.h guestdrv/publish.h port/record/*.h port/template/port.h)
sources=$(printf '%s\n' core/*.c guestdrv/publish.c port/record/*.c)

# shellcheck source=test/build/check.sh
. "$here/check.sh"

# --- each header alone, and each source ---

# shellcheck disable=SC2086 # Lists of names and options are meant to be split, here and below.
headers() {
	for header in $headers; do
		printf '#include "%s"\nextern int used;\n' "${header##*/}" | "$@" $strict $include -fsyntax-only -
	done
}
# shellcheck disable=SC2086
sources() {
	"$@" $strict $include -fsyntax-only $sources port/template/port.c
}
for compiler in "$cc" "$clang"; do
	for std in c99 c11 c17 c2x; do
		check "headers as $std: $compiler" headers "$compiler" -x c -std=$std
		check "sources as $std: $compiler" sources "$compiler" -std=$std
	done
done
# What a port is started from is copied into a hypervisor of either language.
template() {
	"$1" -x c++ -std=c++20 -fno-exceptions -Wall -Wextra -Wpedantic -Werror -Wno-missing-field-initializers \
		-Icore -Iport/template -fsyntax-only port/template/port.c
}
for compiler in "$cxx" "$clang"; do
	for std in c++11 c++14 c++17 c++20 c++2b; do
		check "headers as $std: $compiler" headers "$compiler" -x c++ -std=$std
	done
	check "template of a port as c++20: $compiler" template "$compiler"
done

# --- programs: README.md's, as C and as C++, and a hypervisor in C++ ---

awk '/^```c$/ { inside = 1; next } /^```$/ { inside = 0 } inside' README.md >"$dir/example.c"

# What they are linked with: objects COMPILER OPTIONS.
# shellcheck disable=SC2086
objects() {
	rm -f "$dir"/*.o
	for source in $sources; do
		"$1" -O2 $2 $include -c "$source" -o "$dir/$(basename "$source" .c).o"
	done
}
# shellcheck disable=SC2086
example() {
	"$1" $2 -Wall -Werror $include -o "$dir/example" -x "$3" "$dir/example.c" -x none "$dir"/*.o &&
		"$dir/example" | grep -vE '^VM [01]: [0-9]+ -> [0-9]+ pages$'
	[ "$("$dir/example" | wc -l)" -gt 0 ]
}
# shellcheck disable=SC2086
monitor() {
	"$1" $2 $strict $include -o "$dir/monitor" "$here/monitor.cpp" "$dir"/*.o && "$dir/monitor" >"$dir/said" &&
		grep -vx 'moved and replayed' "$dir/said"
	[ -s "$dir/said" ]
}
for pair in "$cc $cxx" "$clang $clang++"; do
	# shellcheck disable=SC2086
	set -- $pair
	check "sources compile: $1" objects "$1" ''
	for std in c99 c11 c17 c2x; do
		check "README.md's program as $std: $1" example "$1" -std=$std c
	done
	for std in c++11 c++14 c++17 c++20 c++2b; do
		check "README.md's program as $std: $2" example "$2" "-std=$std -Wno-c++20-designator" c++
	done
	check "a hypervisor in C++11: $2" monitor "$2" -std=c++11
	check "a hypervisor in C++23: $2" monitor "$2" -std=c++2b
	check "sources compile: $1 -flto" objects "$1" -flto
	check "README.md's program: $1 -flto" example "$1" '-O2 -flto' c
	check "a hypervisor in C++: $2 -flto" monitor "$2" '-std=c++17 -O2 -flto'
done

# --- the other byte order ---

# Refused by the first line that the compiler says, and nothing else is wrong.
# shellcheck disable=SC2086
refused() {
	for file in $headers $sources; do
		if "$@" -ffreestanding $include -fsyntax-only -x c "$file" >"$dir/refusal" 2>&1; then
			echo "$file: compiles"
		elif ! grep -q 'error:.*Poise does not run on big-endian machines' "$dir/refusal" ||
			[ "$(grep -c 'error:' "$dir/refusal")" -ne 1 ]; then
			echo "$file:"
			cat "$dir/refusal"
		fi
	done
}
# The others include none of these, or a C library that is not there for such machines.
headers='core/poise_abi.h core/poise_seq.h core/poise.h guestdrv/publish.h'
sources=$(echo "$sources" | grep -vE 'core/err\.c|port/record')
check "big-endian AArch64 is refused: ${cross}gcc" refused "${cross}gcc" -mbig-endian
check "big-endian AArch64 is refused: $clang" refused "$clang" --target=aarch64_be-none-elf
check "big-endian Arm is refused: $clang" refused "$clang" --target=armeb-none-eabi
