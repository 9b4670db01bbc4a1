#!/bin/sh
# SPDX-License-Identifier: MIT
# test/setup.sh on machines that are not this one: dpkg, apt-get, sudo and id are replaced by scripts
# that say what a fresh or an arm64 machine would, and write down what they are asked for.
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
	for tool in sh awk env dirname rm cat; do
		ln -s "$(command -v $tool)" "$dir/bin/$tool"
	done
	put dpkg "echo $arch"
	put dpkg-query "for p; do :; done; case \" all $has \" in *\" all all \"* | *\" \$p \"*) echo installed ;; *) exit 1 ;; esac"
	put id "echo $uid"
	put apt-get "echo \"apt-get \$*\" >>$dir/asked; $apt"
	[ "$sudo" = no ] || put sudo "echo sudo >>$dir/asked; exec \"\$@\""
}
apt='exit 0'

put() {
	printf '#!/bin/sh\n%s\n' "$2" >"$dir/bin/$1"
	chmod +x "$dir/bin/$1"
}

# Runs the set-up on the machine for the purposes in $2..., and holds its status against $1.
setup() {
	expected=$1
	shift
	status=0
	(cd "$here" && PATH=$dir/bin "$(command -v sh)" test/setup.sh "$@") >"$dir/said" 2>&1 || status=$?
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

apt='exit 100'
machine amd64 0 no ''
check 'apt-get fails: exit 2' setup 2 run
check 'apt-get fails: says what is missing' said 'could not install: gcc'

apt='exit 0'
machine arm64 0 no ''
check 'arm64: installs' setup 0 run test
check 'arm64: its own compiler is the one for the board' not asked ' gcc-aarch64-linux-gnu( |$)'
check 'arm64: everything else as on amd64' asked ' gcc .* qemu-system-arm .* gcc-arm-linux-gnueabihf'
machine amd64 0 no ''
check 'amd64: installs' setup 0 run test
check 'amd64: a cross compiler' asked ' gcc-aarch64-linux-gnu( |$)'

rm "$dir/bin/dpkg-query"
check 'no Debian: goes on' setup 0 run
check 'no Debian: says where the list of tools is' said 'the tools listed in test/packages'
