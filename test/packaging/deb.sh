#!/bin/sh
# SPDX-License-Identifier: MIT
# The Debian packages: built without network and without apt, with Debian's flags; lintian has no error to
# say; what is in them works from where it will be.
#
#	deb.sh DIR OUT MAKE		DIR: for intermediate files
set -eu

dir=$1
out=$2
make=$3
rm -rf "$dir"
mkdir -p "$dir/bin"
dir=$(realpath "$dir")
triplet=$(dpkg-architecture -q DEB_HOST_MULTIARCH)
version=$(sed -n 's/^#define POISE_VERSION "\(.*\)"$/\1/p' core/poise.h)

# check NAME COMMAND...: passes if the command succeeds; else shows what it said.
check() {
	name=$1
	shift
	if "$@" >"$dir/log" 2>&1; then
		echo "PASS: $name"
	else
		echo "FAIL: $name"
		tail -n 40 "$dir/log"
	fi
}

# --- building ---

# Who calls one of these leaves a note, and does not get what it wants.
for tool in apt apt-get sudo wget curl; do
	printf '#!/bin/sh\necho "%s $*" >>"%s/asked"\nexit 1\n' "$tool" "$dir" >"$dir/bin/$tool"
done
chmod +x "$dir"/bin/*
# Without a network, where a name space of its own is allowed.
alone=
if unshare -rn true 2>/dev/null; then
	alone='unshare -rn'
fi
build() {
	PATH=$dir/bin:$PATH DEB_CPPFLAGS_APPEND=-DGIVEN_BY_THE_BUILDER \
		$alone packaging/deb.sh "$dir/deb" "$out"
}
check "dpkg-buildpackage builds all packages${alone:+, without a network}" build
mv "$dir/log" "$dir/build.log" 2>/dev/null
check 'the build asks for no package and downloads nothing' test ! -e "$dir/asked"

# Of all lines that compile, those without a flag of dpkg-buildflags or of the builder.
flags() {
	grep -- ' -c -o ' "$dir/build.log" >"$dir/compiled"
	for flag in -fstack-protector-strong -D_FORTIFY_SOURCE= -Werror=format-security -DGIVEN_BY_THE_BUILDER; do
		! grep -v -e "$flag" "$dir/compiled" || return 1
	done
}
check 'each file is compiled with the flags of dpkg-buildflags and of the builder' flags

if lintian --allow-root --fail-on error "$dir"/deb/*.changes >"$dir/lintian" 2>&1; then
	echo 'PASS: lintian finds no error'
else
	echo 'FAIL: lintian'
	cat "$dir/lintian"
fi

# --- what is in them ---

for deb in "$dir"/deb/*.deb; do
	case $deb in
	*dbgsym*) continue ;;
	esac
	dpkg-deb -x "$deb" "$dir/root"
done

check 'poised and poisectl run' sh -c "'$dir/root/usr/sbin/poised' --version | grep -qx 'poised $version' &&
	'$dir/root/usr/bin/poisectl' --version | grep -qx 'poisectl $version'"
relro() {
	for program in sbin/poised bin/poisectl; do
		readelf -d "$dir/root/usr/$program" | grep -q BIND_NOW &&
			readelf -h "$dir/root/usr/$program" | grep -q 'DYN' || return 1
	done
}
check 'they are position independent, and bound when they start' relro
check 'the service starts the poised that is in the package' sh -c \
	"find '$dir/root' -name poised.service | grep . | xargs grep -q '^ExecStart=/usr/sbin/poised '"
check 'its manual pages are there' sh -c "ls '$dir'/root/usr/share/man/man8/poised.8* \
	'$dir'/root/usr/share/man/man5/poised.conf.5* '$dir'/root/usr/share/man/man1/poisectl.1*"
check 'its example of a configuration is good' "$dir/root/usr/sbin/poised" --check --config \
	"$dir/root/usr/share/doc/poised/examples/poised-kvm.conf"

example() {
	awk '/^```c$/ { inside = 1; next } /^```$/ { inside = 0 } inside' README.md >"$dir/example.c"
	PKG_CONFIG_LIBDIR=$dir/root/usr/lib/$triplet/pkgconfig
	PKG_CONFIG_SYSROOT_DIR=$dir/root
	export PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR
	# shellcheck disable=SC2046 # pkg-config prints a list of options.
	gcc -o "$dir/example" "$dir/example.c" $(pkg-config --cflags --libs poise) && "$dir/example"
}
check "README.md's program builds with libpoise-dev" example

# DKMS: what dkms.conf builds is all there. The module itself is built by make module and its tests.
dkms() {
	source=$dir/root/usr/src/poise-guest-$version
	grep -qx "PACKAGE_VERSION=\"$version\"" "$source/dkms.conf" &&
		sed -n '/^poise_guest-y/,/[^\\]$/p' "$source/guestdrv/linux/Kbuild" | grep -o '[a-z_./]*\.o' |
		while read -r object; do
			[ -f "$source/guestdrv/linux/${object%.o}.c" ] || exit 1
		done
}
check 'poise-guest-dkms has all sources of the module' dkms

noxen() {
	(cd "$dir/deb/poise-$version" && DEB_BUILD_PROFILES=pkg.poise.noxen "$make" -n -f debian/rules \
		override_dh_auto_build) | grep ' XEN=no '
}
check 'with the build profile pkg.poise.noxen poised is built without Xen' noxen
rm -rf "$dir/root"
