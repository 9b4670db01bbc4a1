#!/bin/sh
# SPDX-License-Identifier: MIT
# test/setup.sh on machines that are not this one: dpkg, apt-get, sudo, id and uname are replaced by
# scripts that say what a fresh or an arm64 machine would, and write down what they are asked for.
#
#	run.sh DIR		DIR: for intermediate files
set -eu

dir=$PWD/$1
here=$PWD
rm -rf "$dir"

# A machine: architecture, user id, whether it has sudo, and the packages that it has (`all`, or names).
machine() {
	arch=$1 uid=$2 sudo=$3 has=$4
	rm -rf "${dir:?}/bin" "$dir/asked"
	mkdir -p "$dir/bin"
	: >"$dir/asked"
	system debian 'Debian GNU/Linux 13 (trixie)'
	for tool in sh awk env dirname rm cat sed head ls; do
		ln -s "$(command -v $tool)" "$dir/bin/$tool"
	done
	put dpkg "echo $arch"
	put dpkg-query "for p; do :; done; case \" all $has \" in *\" all all \"* | *\" \$p \"*) echo installed ;; *) exit 1 ;; esac"
	put id "echo $uid"
	put uname 'echo x86_64'
	put sleep "echo sleep >>$dir/asked"
	put apt-get "echo \"apt-get \$*\" >>$dir/asked; $apt"
	[ "$sudo" = no ] || put sudo "echo sudo >>$dir/asked; exec \"\$@\""
}
apt='exit 0'

put() {
	printf '#!/bin/sh\n%s\n' "$2" >"$dir/bin/$1"
	chmod +x "$dir/bin/$1"
}

# system ID NAME: what the machine's os-release says.
system() {
	printf 'PRETTY_NAME="%s"\nNAME="other"\nID=%s\nVERSION_ID="1"\n' "$2" "$1" >"$dir/os-release"
}

# Runs the set-up on the machine for the purposes in $2..., and holds its status against $1.
setup() {
	expected=$1
	shift
	status=0
	(cd "$here" && PATH=$dir/bin OS_RELEASE=$dir/os-release "$(command -v sh)" test/setup.sh "$@") >"$dir/said" 2>&1 || status=$?
	[ "$status" -eq "$expected" ]
}

# report NAME: by the status of the command before.
check() {
	name=$1
	shift
	if "$@"; then
		echo "PASS: $name"
	else
		echo "FAIL: $name"
		cat "$dir/said" "$dir/asked"
	fi
}

said() { grep -qF -- "$1" "$dir/said"; }
asked() { grep -qE -- "$1" "$dir/asked"; }
silent() { ! [ -s "$dir/said" ] && ! [ -s "$dir/asked" ]; }
not() { ! "$@"; }

machine amd64 1000 yes all
check 'nothing is missing: success' setup 0 run test
check 'nothing is missing: nothing is said, nothing is asked for' silent

machine amd64 0 no 'gcc libc6-dev'
check 'root: installs' setup 0 run
check 'root: says which package, and why' said 'xz-utils                   unpacks newlib'
check 'root: names the missing ones' asked 'install.* xz-utils .*newlib-source.* qemu-system-arm'
check 'root: leaves alone what is there' not asked ' libc6-dev( |$)'
check 'root: leaves alone what another purpose needs' not asked ' libcmocka-dev( |$)'
check 'root: does without sudo' not asked '^sudo'

machine amd64 1000 yes 'gcc libc6-dev'
check 'user: installs' setup 0 run
check 'user: says that root is needed' said 'installing them needs root; sudo may ask for your password'
check 'user: asks sudo' asked '^sudo'

machine amd64 1000 no 'gcc libc6-dev'
check 'no sudo: exit 2' setup 2 run
check 'no sudo: names the command for an administrator' said 'apt-get install --no-install-recommends xz-utils'
check 'no sudo: asks for nothing' not asked .

# shellcheck disable=SC2016 # For the script's own shell.
apt='case $* in *update*) : >'$dir'/updated ;; *) [ -e '$dir'/updated ] ;; esac'
machine amd64 0 no ''
check 'no package lists yet: they are fetched, then it installs' setup 0 run
check 'no package lists yet: fetched once' test "$(grep -c update "$dir/asked")" -eq 1

# The list's lock is held twice, then it is free.
# shellcheck disable=SC2016
apt='case $* in
*update*)
	case $(grep -c update '$dir'/asked) in
	[12]) echo "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 1" >&2; exit 100 ;;
	esac
	: >'$dir'/updated ;;
*) [ -e '$dir'/updated ] ;;
esac'
machine amd64 0 no ''
ln -s "$(command -v grep)" "$dir/bin/grep"
rm -f "$dir/updated"
check 'another apt fetches lists: waits, then installs' setup 0 run
check 'another apt fetches lists: asked again after a while' test "$(grep -c sleep "$dir/asked")" -eq 2
check 'another apt at work: says that it waits' said 'if another apt is at work, this waits for it'
check 'another apt installs: apt itself waits' asked 'DPkg::Lock::Timeout=[1-9][0-9]* .*install'

apt='echo "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1" >&2; exit 100'
machine amd64 0 no ''
check 'another apt does not end: exit 2' setup 2 run
check 'another apt does not end: says who' said 'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1'
check 'another apt does not end: lists are not fetched' not asked update

apt='echo "E: You do not have enough free space" >&2; exit 100'
machine amd64 0 no ''
check 'apt-get fails: exit 2' setup 2 run
check 'apt-get fails: says what is missing' said 'could not install: gcc'
check 'apt-get fails: says why in its own words' said 'E: You do not have enough free space'

apt='exit 0'
machine arm64 0 no ''
check 'arm64: installs' setup 0 run test
check 'arm64: its own compiler is the one for the board' not asked ' gcc-aarch64-linux-gnu( |$)'
check 'arm64: everything else as on amd64' asked ' gcc .* qemu-system-arm .* gcc-arm-linux-gnueabihf'
machine amd64 0 no ''
check 'amd64: installs' setup 0 run test
check 'amd64: a cross compiler' asked ' gcc-aarch64-linux-gnu( |$)'

# Other systems, with apt or without; one has what the goal needs, one has not.
machine amd64 0 no ''
system ubuntu 'Ubuntu 24.04.1 LTS'
check 'Ubuntu: goes on' setup 0 run
check 'Ubuntu: installs nothing' not asked .
check 'Ubuntu: says what it is and what it lacks' said \
	'Ubuntu 24.04.1 LTS is no Debian, so nothing is installed; for these goals it lacks: gcc stdio.h xz'
check 'Ubuntu: names what another purpose needs not' not said cmocka.h
check 'Ubuntu: names the variables' said 'CC, CXX, CLANG, CROSS, QEMU and NEWLIB_TAR'
check 'Ubuntu: in one line' test "$(wc -l <"$dir/said")" -eq 1
rm "$dir/bin/dpkg-query" "$dir/bin/apt-get"
system fedora 'Fedora Linux 41'
for tool in gcc cc xz; do
	put $tool 'exit 0'
done
check 'Fedora: goes on' setup 0 run
check 'Fedora: says what it lacks, and no more' said 'it lacks: aarch64-linux-gnu-gcc '
check 'Fedora: has what a library needs' setup 0 lib
check 'Fedora: says nothing then' silent
rm "$dir/os-release"
check 'no os-release: goes on' setup 0 run
check 'no os-release: says so much' said 'This system is no Debian'

# A checker of style is asked if it is of the version that the source is kept to, else skipped by name.
style() {
	put clang-format "echo 'Some clang-format version $1.0.6 (x)'"
	# shellcheck disable=SC2016 # For the other shell.
	PATH=$dir/bin sh -c 'check() { echo "asked $2"; }; . test/style.sh; style layout clang-format x' >"$dir/said"
}
machine amd64 0 no all
ln -s "$(command -v grep)" "$dir/bin/grep"
style 14
check 'style: the version that the source is kept to is asked' said 'asked clang-format'
style 99
check 'style: another version is skipped, and is named' said \
	'SKIP: layout: the source is kept to clang-format 14, here is 99.0.6'

# What of the host's tests is skipped: where set-up installs nothing, that whose tools are not there.
export SETUP=yes
machine amd64 0 no all
check 'Debian: set-up installs all, so nothing is skipped' setup 0 --lacks not-there not_there.h
check 'Debian: says nothing then' silent
SETUP=no
put gcc 'exit 0'
check 'SETUP=no: tools are looked for' setup 0 --lacks gcc not-there not_there.h /no/such/path
check 'SETUP=no: those missing are named' said 'not-there not_there.h /no/such/path'
check 'SETUP=no: those that are there are not' not said gcc
SETUP=yes
system ubuntu 'Ubuntu 24.04.1 LTS'
check 'Ubuntu: tools are looked for' setup 0 --lacks gcc not-there
check 'Ubuntu: those missing are named' said not-there

# The same by make: a run is skipped in words.
env -i PATH="$PATH" make -s SETUP=no CLANG=no-such-clang host-skips >"$dir/said" 2>&1 || true
check 'test-host: what lacks a tool is skipped by name' said 'SKIP: fuzz: this machine lacks no-such-clang'
check 'test-host: what needs nothing is run' not said catalogue
env -i PATH="$PATH" make -s SETUP=no ARM_CC=no-such-gcc host-skips >"$dir/said" 2>&1 || true
check 'test-host: each 32-bit run lacks its compiler' said 'SKIP: unit32-ack: this machine lacks no-such-gcc'

# Tools that are left out of PATH: which package has them, and which variable names another one.
rm -rf "$dir/without"
mkdir -p "$dir/without"
echo "$PATH" | tr : '\n' | while read -r folder; do
	for tool in "$folder"/*; do
		case ${tool##*/} in
		clang | qemu-arm | reuse) ;;
		*) [ ! -x "$tool" ] || [ -e "$dir/without/${tool##*/}" ] || ln -s "$tool" "$dir/without/${tool##*/}" ;;
		esac
	done
done
env -i PATH="$dir/without" make -s SETUP=no host-skips >"$dir/said" 2>&1 || true
check 'left out: the run, the tool, the package, the variable are named' said \
	'SKIP: unit32-ack: this machine lacks qemu-arm, package qemu-user, or set QEMU_ARM;'
check 'left out: each run has its own' said \
	'SKIP: fuzz: this machine lacks clang, package clang, or set CLANG;'
check 'left out: a tool that no variable names' said 'SKIP: licences: this machine lacks reuse, package reuse;'
check 'left out: what needs nothing is run' not said catalogue
