#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks that the object code of both sides of the shared page holds the barriers of the sequence
# protocol, as each compiler makes it at each level: emulators on strongly ordered hosts run wrong
# code without a fault. Then changes the source in ways that must not go unnoticed.
#
#	run.sh DIR GCC CLANG OBJDUMP		DIR: for intermediate files; GCC, OBJDUMP for AArch64
set -eu

dir=$1
gcc=$2
clang="$3 --target=aarch64-linux-gnu"
objdump=$4
here=$(dirname "$0")

rm -rf "$dir"
mkdir -p "$dir"

# Compiles sources below $1 with the compiler and options that follow, and checks all six functions.
inspect() {
	top=$1
	shift
	for unit in core/page guestdrv/publish; do
		# shellcheck disable=SC2068 # A compiler is a command with its options.
		$@ -std=c11 -ffreestanding -mgeneral-regs-only -fno-pic -I"$top/core" \
			-I"$top/guestdrv" -c "$top/$unit.c" -o "$dir/unit.o"
		"$objdump" -d --no-show-raw-insn "$dir/unit.o" >"$dir/unit.s"
		case $unit in
		core/page) set_of='poise_page_read=reader poise_host_page_write=writer
			poise_page_urgent=look' ;;
		*) set_of='gd_host_read=reader gd_publish=writer gd_urgent=raise' ;;
		esac
		for pair in $set_of; do
			awk -v fn="${pair%=*}" -v role="${pair#*=}" -v name="$* ${pair%=*}" \
				-f "$here/order.awk" "$dir/unit.s" || true
		done
	done
}

for level in -Os -O2 -O3; do
	# shellcheck disable=SC2086
	{
		inspect . $gcc $level
		inspect . $clang $level
	}
done

# Each mutation: name, file, sed script. The check has to fail for it.
mutate() {
	name=$1
	file=$2
	script=$3
	rm -rf "$dir/mutant"
	mkdir -p "$dir/mutant"
	cp -r core guestdrv "$dir/mutant"
	sed "$script" "$file" >"$dir/mutant/$file"
	if cmp -s "$file" "$dir/mutant/$file"; then
		echo "FAIL: mutation '$name' changes nothing: adapt it to the source"
	elif inspect "$dir/mutant" "$gcc" -Os >"$dir/mutant.log" && grep -q '^FAIL' "$dir/mutant.log"; then
		echo "PASS: noticed: $name"
	else
		echo "FAIL: not noticed: $name"
	fi
}

seq=core/poise_seq.h
mutate 'no fence between loads' $seq 's/__asm__ volatile("dmb ishld" ::: "memory")/((void)0)/'
mutate 'no fence between stores' $seq 's/__asm__ volatile("dmb ishst" ::: "memory")/((void)0)/'
mutate 'compiler barrier only' $seq 's/volatile("dmb ish.." ::: "memory")/volatile("" ::: "memory")/'
mutate 'full barrier between stores' $seq 's/dmb ishst/dmb ish/'
mutate 'first load is relaxed' $seq '/LOAD_ACQUIRE/s/__ATOMIC_ACQUIRE/__ATOMIC_RELAXED/'
mutate 'even store is relaxed' $seq '/STORE_RELEASE/s/__ATOMIC_RELEASE/__ATOMIC_RELAXED/'
mutate 'odd store is a release and no fence' $seq \
	's/POISE_SEQ_STORE(word, \*seq + 1u)/POISE_SEQ_STORE_RELEASE(word, *seq + 1u)/
	 s/^\tPOISE_SEQ_FENCE_STORES();//'
mutate 'second load is an acquire and no fence' $seq \
	's/return POISE_SEQ_LOAD(word)/return POISE_SEQ_LOAD_ACQUIRE(word)/
	 s/^\tPOISE_SEQ_FENCE_LOADS();//'
mutate 'reader copies by memcpy' $seq \
	's/^\t\tto\[i\] = POISE_SEQ_LOAD(&from\[i\]);/(void)i;/
	 s/^\tPOISE_SEQ_FENCE_LOADS();/__builtin_memcpy(to, from, count * sizeof(*to));&/'
mutate 'urgent word is raised by a plain store' guestdrv/publish.c \
	's/POISE_SEQ_STORE_RELEASE(/POISE_SEQ_STORE(/'
