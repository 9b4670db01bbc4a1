#!/bin/busybox sh
# SPDX-License-Identifier: MIT
# shellcheck shell=dash
# poised and three domains under real Xen, and what may go wrong with them. All the time another
# program (look) watches what Xen counts: never more than the pool, nobody below its reservation.
# shellcheck source=test/xen/dom0.sh
. /dom0.sh
POOL=/tmp/pool
MIN=/tmp/min
IGNORE=/tmp/ignore
conf=/etc/poised.conf

pass() {
	echo "PASS: xen: $* ($(now) s)"
}

fail() {
	echo "FAIL: xen: $*"
	failed=1
}

# expect WHAT SECONDS COMMAND...
expect() {
	wish=$1
	seconds=$2
	shift 2
	if await "$seconds" "$@"; then
		pass "$wish"
	else
		fail "$wish: $(poisectl status 2>&1 | tail -n 4 | tr '\n' ';')"
	fi
}

logged() {
	grep -q -- "$1" /tmp/poised.log
}

detail_has() {
	poisectl status --json | tr -d '\n' | grep -q -- "$1"
}

state_is() {
	[ "$(status state "$1")" = "$2" ]
}

backend_is() {
	[ "$(status backend "$1")" = "$2" ]
}

sum_at_most() {
	[ "$(sum_mib)" -le "$1" ]
}

size_at_least() {
	[ "$(size_mib "$1")" -ge "$2" ]
}

# pool_set MIB: in the file, and poised told so; the watcher holds poised to it once it is reached.
pool_set() {
	sed -i "s/^pool = .*/pool = \"$1M\";/" $conf
	kill -HUP "$poised_pid"
}

# moving: somebody has been asked for more than it has given yet.
moving() {
	for name in $NAMES; do
		[ "$(node "$name" memory/target)" -ge $(($(size_mib "$name") * 1024)) ] || return 0
	done
	return 1
}

# others_fine [NAME...]: those, or all, are managed and have not been lost on the way.
others_fine() {
	[ $# -gt 0 ] || set -- stream web game
	for name; do
		[ "$(status starts "$name")" = 1 ] || fail "$what: $name was taken for a new domain"
		is_managed "$name" || await 20 is_managed "$name" || fail "$what: $name is $(status state "$name")"
	done
}

dom0_up
GUEST_MIB=128 # read by domain_start
pool=384
echo "$pool" >"$POOL"
echo 64 >"$MIN"
: >"$IGNORE"
sed -i 's/min = "[^"]*"; boot = "[^"]*"; max = "[^"]*"/min = "64M"; boot = "128M"; max = "128M"/
	s/interval_ms = [0-9]*/interval_ms = 500/' $conf
pool_text=$(grep '^pool' $conf)
sed -i "s/^pool = .*/pool = \"${pool}M\";/" $conf
[ -n "$pool_text" ] || die "no pool in $conf"
poised_start
for name in $NAMES; do
	domain_start "$name"
done
guests_ready
for name in $NAMES; do
	expect "$name is found while it is built, mapped and managed" 60 is_managed "$name"
done
look watch "$POOL" "$MIN" "$IGNORE" >/tmp/look.log 2>&1 &
look_pid=$!

# The pool is made smaller while it runs.
what="pool shrunk"
pool_set 306
expect "$what: the sum comes down to it" 60 sum_at_most 306
echo 306 >"$POOL"
others_fine

# An administrator sets a size, as xl mem-set does: target and limit.
what="administrator"
id=$(domid stream)
before=$(node stream memory/target)
target_set stream 90
look limit "$id" $((91 * 1024)) || fail "$what: no limit"
expect "$what: poised lets go of the domain" 20 backend_is stream held
expect "$what: his target is reached" 30 size_is stream 90
sleep 2
[ "$(node stream memory/target)" = 92160 ] || fail "$what: poised has changed his target"
others_fine web game
xenstore-write -- "/local/domain/$id/memory/target" "$(node stream memory/poise/target)"
expect "$what: and takes it back" 20 backend_is stream ready
[ "$before" != 92160 ] || fail "$what: tested nothing"

# The guest takes its pages back while they are mapped.
what="grant revoked while mapped"
tell stream "rmmod poise_guest; echo removed"
await 20 said stream '^removed' || fail "$what: the module stays"
expect "$what: poised does without" 20 state_is stream unmanaged
others_fine web game
tell stream "modprobe poise_guest"
expect "$what: and takes the new ones" 30 is_managed stream

# Nodes are overwritten, each with something else.
what="garbage in xenstore"
for row in "version 2" "guest-ref -1" "host-ref 99999999999" "event-channel banana" "generation 0"; do
	key=${row% *}
	good=$(node stream "data/poise/$key")
	xenstore-write -- "/local/domain/$id/data/poise/$key" "${row#* }"
	expect "$what: $key" 20 detail_has "data/poise/$key"
	xenstore-write -- "/local/domain/$id/data/poise/$key" "$good"
done
xenstore-write -- "/local/domain/$id/data/poise/guest-ref" 16777215
xenstore-write -- "/local/domain/$id/data/poise/generation" 00000000deadbeef
expect "$what: a reference to nothing" 20 detail_has "cannot be mapped"
xenstore-write -- "/local/domain/$id/memory/target" "$(head -c 4000 /dev/zero | tr '\0' 9)"
expect "$what: memory/target" 20 backend_is stream held
xenstore-write -- "/local/domain/$id/memory/target" "$(node stream memory/poise/target)"
tell stream "rmmod poise_guest; modprobe poise_guest"
expect "$what: over" 30 is_managed stream
others_fine web game

# Transactions that fail, as somebody else writes to the same nodes all the time.
what="EAGAIN"
look storm "/local/domain/$(domid web)/memory/poise/offset" 4 &
storm=$!
pool_set 300
expect "$what: sizes are moved all the same" 60 sum_at_most 300
kill $storm
echo 300 >"$POOL"
others_fine

# A guest that cannot give: its memory is locked.
what="guest ignores its target"
tell web "start load pin 55"
await 30 said web '^pinned' || fail "$what: the memory cannot be locked"
pinned=$(size_mib web)
pool_set 264
expect "$what: the others make room" 90 sum_at_most 264
echo 264 >"$POOL"
size_at_least web 80 || fail "$what: it has given what it cannot ($pinned, now $(size_mib web) MiB)"
others_fine

# poised is killed in the middle of a move, and finds out where it is. The guest that cannot give is
# what makes the move last.
what="poised killed and restarted"
pool_set 200
await 20 moving || fail "$what: nothing moves"
kill -9 "$poised_pid"
wait "$poised_pid"
sum_then=$(sum_mib)
poised_start
for name in $NAMES; do
	expect "$what: $name is managed again" 60 is_managed "$name"
done
tell web "killall load; load watch &"
expect "$what: the move is brought to its end (sum was $sum_then)" 60 sum_at_most 200
echo 200 >"$POOL"
others_fine

# A domain is destroyed while ballooned, and made anew.
what="domain destroyed and recreated"
old=$(domid game)
given=$(size_mib game)
xl destroy game
expect "$what: poised knows" 20 logged "game: is gone"
[ -z "$(domid game)" ] || fail "$what: domain $old stays as a zombie"
others_fine stream web
# On ARM a domain starts with all that it may ever have: whoever starts it has room for it in the
# pool, and keeps the others from growing into it.
poisectl freeze stream
poisectl freeze web
pool_set 330
echo 330 >"$POOL"
domain_start game
expect "$what: the new one is managed (the old one had $given MiB)" 90 is_managed game
poisectl thaw stream
poisectl thaw web
[ "$(status starts game)" = 2 ] || fail "$what: starts=$(status starts game)"
others_fine stream web

# One that poised has not been told about.
what="domain that is not in the configuration"
# Xen numbers domains one after the other; it does not count from its first page on.
echo $(($(domid game) + 1)) >>"$IGNORE"
domain_start stranger 80
grep -qx "$(domid stranger)" "$IGNORE" || fail "$what: has number $(domid stranger)"
limit=$(look domain stranger)
expect "$what: is named" 20 logged "stranger, is not in the configuration"
sleep 2
[ "$(look domain stranger)" = "$limit" ] || fail "$what: its size or limit has changed"
[ -z "$(node stranger memory/poise/target)" ] || fail "$what: poised has written to it"
others_fine stream web
xl destroy stranger

kill "$look_pid"
if grep -q '^broken' /tmp/look.log; then
	fail "Xen's own count: $(grep -c '^broken' /tmp/look.log) times, first: $(grep -m 1 '^broken' /tmp/look.log)"
elif grep -q '^worst' /tmp/look.log; then
	pass "Xen's own count: never above the pool, nobody below its reservation"
else
	fail "Xen's own count: nothing was watched"
fi
if [ "$(status check_failures)" = 0 ]; then
	pass "every invariant of the core, after every tick"
else
	fail "invariants: $(status check_failures) broken"
fi
kill "$poised_pid"
if wait "$poised_pid"; then
	pass "poised ends in peace"
else
	fail "poised ended with $?"
fi
cp /tmp/poised.log /tmp/look.log "$LOGS"/* /out/
[ -z "${failed:-}" ]
