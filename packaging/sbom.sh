#!/bin/sh
# SPDX-License-Identifier: MIT
# Writes OUT/sbom.spdx: each source file with its licence, copyright and checksum, as `reuse spdx` says it,
# and the libraries that poised is linked with, as its ELF header and dpkg say it, if it has been built.
#
#	sbom.sh DIR OUT		DIR: for intermediate files
set -eu

dir=$1
out=$2

packaging/sources.sh "$dir/poise" "$out"
# What is there is what counts, and not what an outer repository knows.
(cd "$dir/poise" && GIT_CEILING_DIRECTORIES=$(realpath ..) reuse spdx) >"$dir/sbom.spdx"

# One package for each library, and that poised depends on it.
poised=$out/host/poised
if [ -x "$poised" ]; then
	readelf -d "$poised" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p' | LC_ALL=C sort | while read -r library; do
		id=SPDXRef-library-$(echo "$library" | tr -c 'A-Za-z0-9.\n' -)
		version=NOASSERTION
		path=$(ldd "$poised" | awk -v name="$library" '$1 == name { print $3 }')
		package=$(dpkg-query -S "$(readlink -f "$path")" 2>/dev/null | sed 's/: .*//') || true
		if [ -n "$package" ]; then
			version=$(dpkg-query -W -f='${source:Package} ${Version}' "$package")
		fi
		cat <<-END

			PackageName: $library
			SPDXID: $id
			PackageVersion: $version
			PackageDownloadLocation: NOASSERTION
			FilesAnalyzed: false
			PackageLicenseConcluded: NOASSERTION
			PackageLicenseDeclared: NOASSERTION
			PackageCopyrightText: NOASSERTION
			PackageComment: <text>poised is linked with it</text>
			Relationship: SPDXRef-DOCUMENT DESCRIBES $id
		END
	done >>"$dir/sbom.spdx"
fi
mv "$dir/sbom.spdx" "$out/sbom.spdx"
rm -rf "$dir/poise"
