#!/bin/sh
# SPDX-License-Identifier: MIT
# Each file says whose it is and under which licence, and the bill of materials lists each.
#
#	licences.sh DIR OUT		DIR: for intermediate files
set -eu

dir=$1
out=$2
rm -rf "$dir"
mkdir -p "$dir"

packaging/sources.sh "$dir/poise" "$out"
# What is there is what counts, and not what an outer repository knows.
GIT_CEILING_DIRECTORIES=$(realpath "$dir")
export GIT_CEILING_DIRECTORIES
if (cd "$dir/poise" && reuse lint) >"$dir/lint" 2>&1; then
	echo "PASS: reuse lint finds a licence and a copyright for each file"
else
	echo "FAIL: reuse lint"
	cat "$dir/lint"
fi

# The lint is able to fail: a licence without its text.
echo '/* SPDX-License-''Identifier: ISC */' >"$dir/poise/core/other.c"
if (cd "$dir/poise" && reuse lint) >"$dir/lint" 2>&1; then
	echo "FAIL: reuse lint does not see a licence without its text"
else
	echo "PASS: reuse lint sees a licence without its text"
fi
rm "$dir/poise/core/other.c"

# What the module tells the kernel is what its files say.
if grep -q '^MODULE_LICENSE("Dual MIT/GPL");$' guestdrv/linux/main.c &&
	! grep -L 'SPDX-License-''Identifier: MIT OR GPL-2.0-only' guestdrv/linux/*.[ch] | grep .; then
	echo "PASS: the module is under both licences, in its files and for the kernel"
else
	echo "FAIL: the module's licence"
fi

packaging/sbom.sh "$dir/sbom" "$out"
missing=$(cd "$dir/poise" && find . -type f ! -path './.reuse/*' ! -path './LICENSES/*' ! -name LICENSE ! -empty |
	while read -r file; do
		grep -qxF "FileName: $file" "$OLDPWD/$out/sbom.spdx" || echo "$file"
	done)
if [ -z "$missing" ]; then
	echo "PASS: $out/sbom.spdx has each source file"
else
	echo "FAIL: $out/sbom.spdx lacks:"
	echo "$missing"
fi
if [ ! -x "$out/host/poised" ] || grep -q '^PackageName: libconfig' "$out/sbom.spdx"; then
	echo "PASS: $out/sbom.spdx has the libraries that poised is linked with"
else
	echo "FAIL: $out/sbom.spdx lacks the libraries that poised is linked with"
fi
rm -rf "$dir/poise"
