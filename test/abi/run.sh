#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares documents with code: ABI.md's tables with the header, the header's names with ABI.md, the
# manual and DESIGN.md with the core's lists, and the README's program with the library as it is
# installed.
#
#	run.sh DIR CC MAKE		DIR: for intermediate files
set -eu

dir=$1
cc=$2
make=$3
here=$(dirname "$0")
rm -rf "$dir"
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)

# --- ABI.md against poise_abi.h ---

awk -f "$here/tables.awk" ABI.md >"$dir/tables.c"
"$cc" -std=c11 -Wall -Werror -Icore -o "$dir/tables" "$dir/tables.c"
"$dir/tables" || true

# Every feature and state that the header knows is in a table.
names=$(sed -n 's/^#define \(POISE_\(GF\|HF\|HOST_STATE\)_[A-Z_]*\).*/\1/p' core/poise_abi.h)
for name in $names; do
	case $name in
	*_KNOWN) continue ;;
	esac
	if grep -q "^| \`$name\` |" ABI.md; then
		echo "PASS: ABI.md has $name"
	else
		echo "FAIL: ABI.md lacks $name"
	fi
done

# --- the core's lists ---

"$cc" -std=c11 -Wall -Werror -Icore -o "$dir/lists" "$here/lists.c" core/names.c
"$dir/lists" manual >"$dir/manual"
sed -n '/^\.\\" tunables$/,/^\.\\" end of tunables$/p' port/daemon/man/poised.conf.5 |
	sed '1d;$d' >"$dir/told"
if cmp -s "$dir/manual" "$dir/told"; then
	echo "PASS: poised.conf(5) has every tunable with its range, default and words"
else
	echo "FAIL: poised.conf(5) does not have the tunables of core/poise_tunables.def"
	diff "$dir/told" "$dir/manual" || true
fi
for rule in $("$dir/lists" rules); do
	if grep -qwF "$rule" DESIGN.md; then
		echo "PASS: DESIGN.md has rule $rule"
	else
		echo "FAIL: DESIGN.md lacks rule $rule"
	fi
done

# --- README.md's program, as a user would build it ---

awk '/^```c$/ { inside = 1; next } /^```$/ { inside = 0 } inside' README.md >"$dir/example.c"
if "$make" -s install PREFIX=/opt/poise DESTDIR="$dir/root" >"$dir/log" 2>&1; then
	echo "PASS: make install"
else
	echo "FAIL: make install"
	cat "$dir/log"
fi

# pkg-config puts the staging directory in front of the paths it prints.
export PKG_CONFIG_LIBDIR="$dir/root/opt/poise/lib/pkgconfig"
export PKG_CONFIG_SYSROOT_DIR="$dir/root"
# shellcheck disable=SC2046 # pkg-config prints a list of options.
if "$cc" -std=c11 -Wall -Wextra -Werror -o "$dir/example" "$dir/example.c" \
	$(pkg-config --cflags --libs poise) >"$dir/log" 2>&1; then
	echo "PASS: README.md's program builds with pkg-config"
else
	echo "FAIL: README.md's program does not build"
	cat "$dir/log"
fi
if "$dir/example" >"$dir/log" 2>&1 && grep -q '^VM [01]: [0-9]* -> [0-9]* pages$' "$dir/log"; then
	echo "PASS: README.md's program runs and moves memory"
else
	echo "FAIL: README.md's program does not move memory"
	cat "$dir/log"
fi

# --- make help ---

goals=$(awk '/^\.PHONY:/ { inside = sub(/^\.PHONY:/, "") }
	inside { inside = sub(/\\$/, ""); print }' Makefile install.mk)
"$make" -s help >"$dir/help"
for goal in $goals; do
	if grep -q "^  make $goal " "$dir/help"; then
		echo "PASS: make help has $goal"
	else
		echo "FAIL: make help lacks $goal"
	fi
done
