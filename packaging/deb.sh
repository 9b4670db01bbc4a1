#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes Debian packages of this tree: source and binary, in DIR. The arguments behind OUT go to
# dpkg-buildpackage.
#
#	deb.sh DIR OUT [ARGUMENT...]
set -eu
unset MAKEFLAGS MFLAGS MAKELEVEL

dir=$1
out=$2
shift 2

version=$(sed -n 's/^#define POISE_VERSION "\(.*\)"$/\1/p' core/poise.h)
epoch=$(dpkg-parsechangelog -l packaging/debian/changelog -S Timestamp)
tree=$dir/poise-$version

rm -rf "$dir"
packaging/sources.sh "$tree" "$out"
# The same sources give the same archive.
tar -C "$dir" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$epoch" -cJf \
	"$dir/poise_$version.orig.tar.xz" "poise-$version"
cp -R packaging/debian "$tree/debian"
cd "$tree"
dpkg-buildpackage --no-sign "$@"
