#!/bin/sh
# SPDX-License-Identifier: MIT
# What run.sh runs in the system that it has made: the goals one after the other, in the clone.
#	inside.sh SECONDS GOAL...	always ends well: what came of them is in the lines it prints
limit=$1
shift
cd /root/poise || exit 1
rm .inside
# Whoever owns the clone outside.
git config --global --add safe.directory '*'
echo "release: $(sed -n 's/^PRETTY_NAME=//p' /etc/os-release), $(dpkg --print-architecture)," \
	"commit $(git rev-parse --short HEAD)"
trap 'kill "$job"; wait "$job"; exit 0' TERM
for goal; do
	start=$(date +%s)
	# Nothing of the make that is at work outside; nor does it ignore SIGINT, as a job of a shell does.
	timeout -k 30 "$limit" env -i --default-signal PATH="$PATH" HOME=/root LC_ALL=C.UTF-8 make "$goal" </dev/null &
	job=$!
	wait "$job"
	status=$?
	case $status in
	0) came="passed" ;;
	124 | 137) came="failed: no end within $limit s" ;;
	*) came="failed: exit status $status" ;;
	esac
	echo "release: make $goal: $came after $(($(date +%s) - start)) s"
done
exit 0
