#!/bin/sh
# SPDX-License-Identifier: MIT
# Renders the comments of the public headers: HTML for readers, XML for the test.
#
#	doc.sh DIR HEADER...		into DIR/html and DIR/xml; fails on a warning of Doxygen
set -eu

dir=$1
shift
[ $# -gt 0 ] || { echo "doc.sh: no header is named" >&2; exit 2; }	# Doxygen would take the whole directory
rm -rf "$dir/html" "$dir/xml"
mkdir -p "$dir"
{
	cat test/documents/Doxyfile
	echo "INPUT = $*"
	echo "OUTPUT_DIRECTORY = $dir"
} | doxygen -
