#!/bin/sh
# SPDX-License-Identifier: MIT
# The build in the hands of packagers: their flags, hardening, a read-only source of somebody else, a build
# directory elsewhere, equal bits wherever it is built, and what is installed in the hands of who builds on it.
#
#	builder.sh MAKE OUT NEWLIB CROSS	OUT: of this make, not copied; NEWLIB: the board's C library
set -eu

make=$1
out=$2
newlib=$3
cross=$4

export CROSS="$cross" # Not on the command line: `make lib` is for this machine.

# Another user has to get there.
dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
chmod 755 "$dir"

# shellcheck source=test/build/check.sh
. "$(dirname "$0")/check.sh"

# --- two builds: here, and read-only elsewhere by another user ---

here=$dir/one
there=$dir/another/place/with/a/longer/name
packaging/sources.sh "$here" "$out"
packaging/sources.sh "$there" "$out"
cp -a "$newlib" "$dir/newlib"
chmod -R a-w,a+rX "$there"
mkdir "$dir/out"

# apt must not be looked at: these tell if somebody does.
mkdir "$dir/bin"
for tool in apt-get dpkg-query sudo; do
	printf '#!/bin/sh\necho %s >>%s/asked\nexit 1\n' "$tool" "$dir" >"$dir/bin/$tool"
	chmod +x "$dir/bin/$tool"
done
PATH=$dir/bin:$PATH

as_other=
if [ "$(id -u)" -eq 0 ]; then
	chown 65534:65534 "$dir/out"
	as_other='setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/nonexistent'
fi
goals='lib lib-aarch64 daemon sim board'
places="SETUP=no NEWLIB=$dir/newlib NEWLIB_STAMP=$dir/newlib/.built"
# shellcheck disable=SC2086 # Lists of words are meant to be split, here and below.
check 'builds in its own directory, -j8' quietly "$make" --no-print-directory -C "$here" -j8 $places XEN=yes $goals
# shellcheck disable=SC2086
check 'builds from a read-only source of another user to a directory elsewhere' \
	quietly $as_other "$make" --no-print-directory -C "$there" $places XEN=yes OUT="$dir/out" $goals
check 'with SETUP=no nothing of apt is run' test ! -e "$dir/asked"

products='host/poised host/poisectl host/poise-sim lib-host/libpoise.a lib-a64/libpoise.a board/board.elf'
for product in $products; do
	check "equal bits: $product" cmp "$here/build/$product" "$dir/out/$product"
done

unnamed() {
	! grep -rlaF "$dir" --exclude='*.d' --exclude=.command "$here/build" "$dir/out"
}
check 'no object or program has the path of its build in it' unnamed

# --- hardening ---

hardened() {
	readelf -h "$1" | grep -q 'Type:.*DYN' || echo "not position independent"
	readelf -lW "$1" | grep -q GNU_RELRO || echo "no RELRO"
	readelf -dW "$1" | grep -q 'FLAGS.*NOW' || echo "symbols are bound late"
	readelf -sW "$1" | grep -q '__stack_chk_fail' || echo "no stack protector"
	readelf -sW "$1" | grep -qE '__[a-z]+_chk(@|$| )' || echo "no FORTIFY"
	! readelf -lW "$1" | grep -E 'GNU_STACK.*RWE'
}
for program in poised poisectl poise-sim; do
	check "hardened: $program" hardened "$here/build/host/$program"
done

# --- flags ---

echo 'static const char mark[] __attribute__((used)) = "cflags of the builder";' >"$dir/c.h"
echo 'static const char mark_cpp[] __attribute__((used)) = "cppflags of the builder";' >"$dir/cpp.h"
marks() {
	strings "$here/build/host/poisectl" | grep -E '^(cflags|cppflags) of the builder$' | sort -u
	readelf -dW "$here/build/host/poisectl" | grep -o '/ldflags/of/the/builder'
}
all_marks='cflags of the builder
cppflags of the builder
/ldflags/of/the/builder'
marked() {
	quietly "$@" -C "$here" SETUP=no build/host/poisectl
	[ "$(marks)" = "$all_marks" ] || marks
}
unmarked() {
	quietly "$make" --no-print-directory -C "$here" SETUP=no build/host/poisectl
	! marks
}
cflags="-include $dir/c.h"
cppflags="-include $dir/cpp.h"
ldflags=-Wl,-rpath,/ldflags/of/the/builder
check 'CFLAGS, CPPFLAGS, LDFLAGS on the command line are honoured' \
	marked "$make" CFLAGS="$cflags" CPPFLAGS="$cppflags" LDFLAGS="$ldflags"
check 'without them everything is as before' unmarked
check 'CFLAGS, CPPFLAGS, LDFLAGS in the environment are honoured' \
	marked env CFLAGS="$cflags" CPPFLAGS="$cppflags" LDFLAGS="$ldflags" "$make"
check 'hardened with flags, too' hardened "$here/build/host/poisectl"
# --- Xen is a switch; libraries that are not there are named ---

no_xen() {
	quietly "$make" --no-print-directory -C "$here" SETUP=no XEN=no OUT=build-kvm build-kvm/host/poised
	readelf -dW "$here/build-kvm/host/poised" >"$dir/dynamic"
	! grep -E 'NEEDED.*lib(xen|fdt)' "$dir/dynamic" && grep -q 'NEEDED.*libevent_core' "$dir/dynamic"
}
check 'XEN=no: poised needs no library of Xen' no_xen

# Fails, and the first line says it; nothing was built. $1: the line, then the command.
refuses() {
	line=$1
	shift
	if "$@" >"$dir/refusal" 2>&1 || [ "$(wc -l <"$dir/refusal")" -ne 1 ] || ! grep -q "$line" "$dir/refusal"; then
		cat "$dir/refusal"
		return 1
	fi
}
nothing='PKG_CONFIG_PATH= PKG_CONFIG_LIBDIR=/nonexistent'
# shellcheck disable=SC2086
check 'missing libraries are named' refuses 'poised needs libevent_core jansson libconfig, which pkg-config does not find' \
	"$make" --no-print-directory -C "$here" SETUP=no OUT=build-none $nothing daemon
# shellcheck disable=SC2086
check 'XEN=yes: so are those of Xen' refuses 'XEN=yes, but pkg-config or .* does not find: xencontrol xenstore' \
	"$make" --no-print-directory -C "$here" SETUP=no OUT=build-none $nothing XEN=yes daemon
check 'XEN: a word that is none' refuses 'XEN is auto, yes or no, not maybe' "$make" --no-print-directory -C "$here" SETUP=no XEN=maybe daemon
check 'SETUP: a word that is none' refuses 'SETUP is yes or no, not maybe' "$make" --no-print-directory -C "$here" SETUP=maybe lib

# --- names that make or the shell would take for something else, and an OUT that `make clean` must not clear ---

packaging/sources.sh "$dir/with a blank" "$out"
check 'a source in a place with a blank is refused' refuses 'has a blank in it' "$make" --no-print-directory -C "$dir/with a blank" lib
check 'OUT with a blank is refused' refuses 'has a blank in it' "$make" --no-print-directory -C "$here" OUT="$dir/with a/blank" lib
check 'so is a PREFIX with a blank' refuses 'has a blank' "$make" --no-print-directory -C "$here" SETUP=no PREFIX="$dir/with a/blank" lib

# shellcheck disable=SC1003 # A backslash it is.
for sign in "'" '"' '\' '|' '&' ';' '(' ')' ':' '%' '=' '#' '*'; do
	check "OUT with $sign is refused" refuses "OUT has .* in it, which make cannot build" \
		"$make" --no-print-directory -C "$here" OUT="$dir/a${sign}b" lib
done
check 'PREFIX with a sign of the shell is refused' refuses 'PREFIX has & in it' \
	"$make" --no-print-directory -C "$here" SETUP=no PREFIX="$dir/a&b" install-lib
check 'so is DESTDIR with a quote' refuses "DESTDIR has ' in it" \
	"$make" --no-print-directory -C "$here" SETUP=no DESTDIR="$dir/a'b" install-lib
# Only ever with -n: what it would do is worse than a failed test.
check 'clean: an empty OUT is refused' refuses 'OUT is empty' "$make" --no-print-directory -n -C "$here" OUT= clean
ln -s "$here" "$dir/link"
for place in / . .. ./ build/.. "$here" "$dir" "$dir/link"; do
	check "clean: an OUT with the source in it is refused: $place" refuses 'OUT has the source in it' \
		"$make" --no-print-directory -n -C "$here" OUT="$place" clean
done

# --- installed ---

root="$dir/staging area"
stage() {
	quietly "$make" --no-print-directory -C "$here" SETUP=no XEN=yes DESTDIR="$root" PREFIX=/usr SYSCONFDIR=/etc "$@"
}
check 'installs, DESTDIR with a blank' stage install install-dkms
check 'poised.service has the places' grep -q 'ExecStart=/usr/sbin/poised --config /etc/poise/poised.conf' \
	"$root/usr/lib/systemd/system/poised.service"
# From here on the tree is out of reach; a prefix that has moved is found by where the files are.
mv "$root/usr" "$dir/usr"
export PKG_CONFIG_PATH="$dir/usr/lib/pkgconfig"
installed="pkg-config --define-prefix"
cat >"$dir/main.c" <<'END'
#include "port.h"
#include "record.h"
int main(void)
{
	static struct port port;
	char line[RECORD_LINE_MAX];
	const struct poise_event event = {.now_ms = 1, .code = POISE_EVENT_TICK};
	return port_start(&port, 1000) != POISE_OK || port_tick(&port, 1000) != POISE_OK ||
	       record_format(&event, line, sizeof(line)) == 0;
}
END
# shellcheck disable=SC2046
port() {
	cp -r "$($installed --variable=template poise)" "$dir/port"
	gcc -std=c11 -Wall -Wextra -Werror -I"$dir/port" -o "$dir/port/program" "$dir/main.c" "$dir/port/port.c" \
		"$($installed --variable=sources poise-record)" $($installed --cflags --libs poise-record) &&
		"$dir/port/program"
}
check 'a port of its own is built from what is installed, and runs' port
cat >"$dir/guest.c" <<'END'
#include "bare/bare.h"
void _start(void);
static bool share(const volatile void *guest_page, const volatile void *host_page)
{
	return guest_page != host_page;
}
static void ring(void)
{
}
static const struct gd_bare_calls calls = {share, ring};
void _start(void)
{
	static struct gd_bare bare;
	static struct poise_abi_guest counters;
	if (gd_bare_attach(&bare, &calls, 1, 1000, 0)) {
		gd_bare_publish(&bare, &counters);
	}
	for (;;) {
	}
}
void *memset(void *to, int byte, __SIZE_TYPE__ count)
{
	for (char *at = to; count > 0; count--) {
		*(volatile char *)at++ = (char)byte;
	}
	return to;
}
void *memcpy(void *to, const void *from, __SIZE_TYPE__ count)
{
	for (__SIZE_TYPE__ i = 0; i < count; i++) {
		((volatile char *)to)[i] = ((const char *)from)[i];
	}
	return to;
}
END
# shellcheck disable=SC2046
guest() {
	sources=$($installed --variable=sourcedir poise-guest)
	"${cross}gcc" -std=c11 -Wall -Wextra -Werror -Os -ffreestanding -fno-stack-protector -fno-pic -no-pie \
		-nostdlib -static -I"$sources" -o "$dir/guest.elf" "$dir/guest.c" "$sources/bare/bare.c" \
		"$($installed --variable=sources poise-guest)" $($installed --cflags poise-guest)
	"${cross}nm" "$dir/guest.elf" | grep -q ' T gd_publish$'
}
check 'a bare-metal guest is built from what is installed' guest
mv "$dir/usr" "$root/usr"
check 'uninstalls' stage uninstall
remains() {
	find "$root" -type f
}
check 'and nothing remains' remains
for_a_hypervisor() {
	quietly "$make" --no-print-directory -C "$here" SETUP=no CROSS="$cross" CFLAGS=-mcpu=cortex-a53 OUT=build-a53 \
		DESTDIR="$dir/a53" PREFIX=/opt/poise install
	[ -e "$dir/a53/opt/poise/lib/pkgconfig/poise-guest.pc" ] && [ ! -e "$dir/a53/opt/poise/sbin" ] &&
		"${cross}readelf" --debug-dump=info "$dir/a53/opt/poise/lib/libpoise.a" | grep -q 'mcpu=cortex-a53'
}
check "for a hypervisor, with its compiler's flags: library and sources, no daemon" for_a_hypervisor
