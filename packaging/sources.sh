#!/bin/sh
# SPDX-License-Identifier: MIT
# Copies the sources, and nothing that was built or that belongs to version control, into an empty folder.
#
#	sources.sh DIR OUT		run in the top folder; OUT: where this tree is built
set -eu

dir=$1
out=${2#"$PWD"/}

rm -rf "$dir"
mkdir -p "$dir"
tar -cf - --exclude=./.git --exclude=./build --exclude='./build-*' --exclude="./${out#./}" --exclude=__pycache__ . |
	tar -C "$dir" -xf -
