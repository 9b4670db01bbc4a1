# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Checkers of style, read by `.` after `check` has been defined. Each release has opinions of its own: the
# source is kept to those of one version, Debian 12's, and another version is skipped by name.

# The versions by which the source is kept.
style_version() {
	case $1 in
	clang-format) echo 14 ;;
	cppcheck) echo 2.10 ;;
	shellcheck) echo 0.9 ;;
	esac
}

# style NAME TOOL ARGUMENT...: as check, if the tool is of that version.
style() {
	style_name=$1
	shift
	style_wanted=$(style_version "$1")
	style_found=$("$1" --version 2>/dev/null | grep -oE '[0-9]+(\.[0-9]+)+' | head -n 1) || true
	case $style_found in
	"$style_wanted".* | "$style_wanted") check "$style_name" "$@" ;;
	*) echo "SKIP: $style_name: the source is kept to $1 $style_wanted, here is ${style_found:-none}" ;;
	esac
}
