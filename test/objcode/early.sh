#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks the object code that runs before the board's MMU is on, and the way out of a failure at any
# point: linked with each other, the files need addresses of the linker script and the function to go on
# with, and no library, not even a memset that the compiler has put there. That it makes aligned accesses
# only and uses no vector register is what the compiler was told, by its own word in the object.
# Then looks at objects with which that must not go unnoticed.
#
#	early.sh DIR CROSS OBJECT...	DIR: for intermediate files; CROSS: prefix of the AArch64 tools
set -eu

dir=$1
cross=$2
shift 2
rm -rf "$dir"
mkdir -p "$dir"

allowed='board_start board_image_start board_text_end board_rodata_end board_stack_guard board_image_end
board_bss_start board_bss_end board_stack_top board_emergency_top'

# foreign OBJECT...: the symbols that the objects need and should not.
foreign() {
	"${cross}ld" -r -o "$dir/early.o" "$@"
	# shellcheck disable=SC2086 # A list of names.
	printf '%s\n' $allowed >"$dir/allowed"
	"${cross}nm" -u "$dir/early.o" | awk '{ print $NF }' | grep -vxF -f "$dir/allowed" || true
}

# careless OBJECT...: those of C that were not compiled for Device memory.
careless() {
	for object; do
		"${cross}readelf" --debug-dump=info "$object" | grep DW_AT_producer >"$dir/producer" || true
		if grep -q 'GNU C' "$dir/producer" && ! { grep -q -e -mstrict-align "$dir/producer" &&
			grep -q -e -mgeneral-regs-only "$dir/producer"; }; then
			echo "$object"
		fi
	done
}

# expect NAME WORDS COMMAND...: whether the command says just these words.
expect() {
	name=$1
	words=$2
	shift 2
	said=$("$@")
	if [ "$said" = "$words" ]; then
		echo "PASS: early code: $name"
	else
		echo "FAIL: early code: $name: ${said:-nothing}"
	fi
}

expect 'no library, nothing that comes later' '' foreign "$@"
expect 'aligned accesses, general registers' '' careless "$@"

# mutant NAME OPTIONS...: compiles standard input as an early file.
mutant() {
	name=$1
	shift
	"${cross}gcc" -g -Os -ffreestanding -fno-pic -xc "$@" -c - -o "$dir/$name.o"
}
echo 'unsigned long strlen(const char *); unsigned long f(const char *s) { return strlen(s); }' |
	mutant strlen -mstrict-align -mgeneral-regs-only
expect 'noticed: strlen' strlen foreign "$@" "$dir/strlen.o"
echo 'struct s { char c[512]; }; void f(struct s *a) { *a = (struct s){0}; }' |
	mutant memset -mstrict-align -mgeneral-regs-only
expect 'noticed: memset by the compiler' memset foreign "$@" "$dir/memset.o"
echo 'int f(int *p) { return *p; }' | mutant loose -mgeneral-regs-only
expect 'noticed: accesses of any alignment' "$dir/loose.o" careless "$dir/loose.o"
