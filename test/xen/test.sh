#!/bin/busybox sh
# SPDX-License-Identifier: MIT
# shellcheck shell=dash
# poised and three domains under real Xen, and what may go wrong with them. What has to hold in each
# case, whatever is played, is judged by `end` (judge.sh).
# shellcheck source=test/xen/dom0.sh
. /dom0.sh
# shellcheck source=test/xen/judge.sh
. /judge.sh
POISED_PRELOAD=/lib/conflict.so # does nothing before it is told to
CONFLICTS=/tmp/conflicts
ANSWERS=/tmp/conflict-answers
GUEST_MIB=128 # read by domain_start

# moving: somebody has been asked for more than it has given yet.
moving() {
	for name in $NAMES; do
		[ "$(node "$name" memory/target)" -ge $(($(size_mib "$name") * 1024)) ] || return 0
	done
	return 1
}

# spoil NODE TEXT: in the domain stream's part of xenstore; `good` is what was there.
spoil() {
	good=$(node stream "$1")
	xenstore-write -- "/local/domain/$id/$1" "$2"
}

mend() {
	xenstore-write -- "/local/domain/$id/$1" "$good"
}

# torn: a domain's three nodes of one transaction do not fit together.
torn() {
	for name in $NAMES; do
		[ "$(node "$name" memory/target)" = "$(node "$name" memory/poise/target)" ] || return 0
	done
	return 1
}

targets() {
	for name in $NAMES; do
		node "$name" memory/target
	done
}

answers() {
	lines_of $ANSWERS
}

dom0_up
mkdir $WATCH
echo 384 >$WATCH/pool
echo 64 >$WATCH/min
: >$WATCH/ignore
: >$ANSWERS
conf_set pool '"384M"'
sed -i 's/min = "[^"]*"; boot = "[^"]*"; max = "[^"]*"/min = "64M"; boot = "128M"; max = "128M"/
	s/interval_ms = [0-9]*/interval_ms = 500/' $CONF
: >/tmp/poised.log
: >$LOOK_LOG
poised_start
begin "start"
for name in $NAMES; do
	domain_start "$name"
done
guests_ready
for name in $NAMES; do
	expect "$name is found while it is built, mapped and managed" 60 is_managed "$name"
done
watch_start
end "stream: is there with" "web: is there with" "game: is there with"

begin "pool shrunk" stream web game
shrink_to 306
end "pool: 78336 pages"

# The same client as under KVM.
begin "clients" stream web game
why() {
	poisectl why "$1" | grep -q -- "$2"
}
expect "why: asked for less" 10 why stream "asked for"
top_has() {
	[ "$(poisectl top --count 1 | grep -cE 'stream|web|game')" = 3 ]
}
expect "top: all three" 10 top_has
poisectl record /tmp/client.rec &
recorder=$!
recorded() {
	grep -q ' tick ' /tmp/client.rec
}
expect "record: a tick, with all three" 20 recorded
[ "$(grep -c ' import_vm ' /tmp/client.rec)" = 3 ] || fail "$what: record: $(head -n 4 /tmp/client.rec)"
kill $recorder
poisectl set web weight=150 || fail "$what: set"
[ "$(status weight web)" = 150 ] || fail "$what: set: the weight is $(status weight web)"
poisectl set web weight=100
end

begin "administrator" web game
target_set stream 92160
expect "poised lets go of the domain" 20 backend_is stream held
expect "his target is reached" 30 size_is stream 90
sleep 3
[ "$(node stream memory/target)" = 92160 ] || fail "$what: poised has changed his target"
size_is stream 90 || fail "$what: the size is another: $(size_mib stream) MiB"
target_set stream "$(node stream memory/poise/target)"
expect "and takes it back" 20 backend_is stream ready
expect "and manages it" 20 is_managed stream
end "stream: somebody else has set memory/target to 92160 KiB" "stream: memory/target is ours again"

begin "grant revoked while mapped" web game
tell stream "rmmod poise_guest; echo removed"
await 20 said stream '^removed' || fail "$what: the module stays"
expect "poised notices" 20 says "stream: statistics from none"
expect "and does without" 20 state_is stream unmanaged
tell stream "modprobe poise_guest"
expect "and takes the new ones" 30 is_managed stream
end "stream: statistics from page"

# Every node that poised reads, each with something else.
begin "garbage in xenstore" web game
id=$(domid stream)
for row in "version 2" "guest-ref -1" "host-ref 99999999999" "event-channel banana" "generation 0"; do
	spoil "data/poise/${row% *}" "${row#* }"
	expect "data/poise/${row% *}" 20 detail_has "data/poise/${row% *}"
	mend "data/poise/${row% *}"
done
spoil data/poise/guest-ref 16777215
xenstore-write -- "/local/domain/$id/data/poise/generation" 00000000deadbeef
expect "a reference to nothing" 20 detail_has "cannot be mapped"
tell stream "rmmod poise_guest; modprobe poise_guest"
expect "the guest's own nodes: over" 30 is_managed stream
spoil memory/target "$(head -c 4000 /dev/zero | tr '\0' 9)"
expect "memory/target" 20 backend_is stream held
mend memory/target
expect "memory/target: over" 20 backend_is stream ready
for row in "name two words" "memory/static-max -1" "memory/poise/target 1e6" "memory/poise/offset 0x10"; do
	spoil "${row%% *}" "${row#* }"
	sleep 1 # two intervals: it has been read
	backend_is stream ready || fail "$what: ${row%% *}: stream is $(status backend stream)"
	[ "${row%% *}" = memory/poise/offset ] || mend "${row%% *}"
done
# One that starts reads it all anew: without the offset it finds it by itself.
kill_poised
poised_start
expect "a poised that starts among it" 60 is_managed stream
[ "$(node stream memory/poise/offset)" = 4 ] || fail "$what: the offset is $(node stream memory/poise/offset)"
others= # They are new to the new one, like stream itself.
end "stream: page: data/poise/version is not 1" "somebody else has set memory/target to 0 KiB"

# The real xenstored's EAGAIN: somebody else writes to what a transaction has read, before its end.
begin "EAGAIN now and then" stream web game
for name in $NAMES; do
	await 60 is_managed "$name"
done
echo 3 >$CONFLICTS
shrink_to 300
[ "$(answers)" = 3 ] || fail "$what: $(answers) answers instead of 3"
end

begin "EAGAIN for ever" stream web game
echo 1000000 >$CONFLICTS
before=$(targets)
from=$(answers)
since=$(now)
pool_set 270
expect "says so" 20 detail_has "EAGAIN\|Resource temporarily unavailable"
sleep 2
[ "$(targets)" = "$before" ] || fail "$what: targets have changed: $before, $(targets)"
torn && fail "$what: half of a transaction has been written"
# Each transaction is tried five times, and there are a few in an interval, as each watch fires.
rate=$((($(answers) - from) / ($(now) - since + 1)))
if [ "$rate" -ge 1 ] && [ "$rate" -le 200 ]; then
	pass "$what: tried again, but not without a bound ($rate a second)"
else
	fail "$what: $rate tries a second"
fi
echo 0 >$CONFLICTS
shrink_to 270
end "EAGAIN\|Resource temporarily unavailable"

begin "guest ignores its target" stream game
tell web "modprobe poise_deaf"
await 30 said web '^ran 0' || fail "$what: the module is not there"
before=$(size_mib web)
[ "$before" -gt 72 ] || fail "$what: it has $before MiB only: nothing can be asked of it"
pool_set 200
others_at_min() {
	size_is stream 64 && size_is game 64
}
expect "the others make room" 60 others_at_min
expect "it is given up for a while" 60 says "web: its balloon does not move: left at"
size_is web "$before" || fail "$what: it has $(size_mib web) MiB, not $before"
end

# The guest that does not listen is what makes the move last.
begin "poised killed in the middle of a move" stream web game
await 20 moving || fail "$what: nothing moves"
kill_poised
sum_then=$(sum_mib)
poised_start
for name in $NAMES; do
	expect "$name is managed again" 60 is_managed "$name"
done
tell web "rmmod poise_deaf"
expect "the move is brought to its end (sum was $sum_then)" 90 sum_at_most 200
echo 200 >$WATCH/pool
end "web: goes on with its history" "stream: domain [0-9]*, [0-9]* pages" "web: domain [0-9]*, [0-9]* pages" "game: domain [0-9]*, [0-9]* pages"

# All are below their boot sizes and the pool is used up: whoever is found first must not grow into
# what the others have. Xen has more than enough free, and poised is told not to look.
begin "poised killed, and blind to Xen's free memory" stream web game
kill_poised
conf_set host_reserve 0
poised_start
for name in $NAMES; do
	expect "$name is managed again" 60 is_managed "$name"
done
sleep 3
end "stream: domain [0-9]*, [0-9]* pages"

# The pool has more for them, but Xen's free memory is to stay. poised knows nothing of them, so that they
# are on the way to their boot sizes and need all that there is.
begin "host's reserve" stream web game
kill "$poised_pid"
wait "$poised_pid" || fail "$what: poised ended with $?"
rm /run/poise/poised.state || fail "$what: poised has left no state"
left=$(($(look free) / 256 - 20))
conf_set host_reserve "\"${left}M\""
conf_set pool '"320M"'
echo 320 >$WATCH/pool
echo $((left - 1)) >$WATCH/free
poised_start
expect "what Xen has beyond it is given (from $(sum_mib) MiB)" 60 sum_at_least 212
sleep 3
sum_at_most 221 || fail "$what: the sum is $(sum_mib) MiB"
[ "$(status pool)" -lt "$(status pool_configured)" ] || fail "$what: the status does not say that less is given"
end
echo 0 >$WATCH/free
kill "$poised_pid"
wait "$poised_pid" || fail "$what: poised ended with $?"
conf_set host_reserve '"16M"'
conf_set pool '"230M"'
poised_start
for name in $NAMES; do
	await 60 is_managed "$name" || fail "$what: $name is not managed again"
done

# On ARM a domain starts with all that it may ever have: whoever starts it has room for it in the
# pool, and keeps the others from growing into it.
begin "domain destroyed and recreated" stream web
old=$(domid game)
given=$(size_mib game)
[ "$given" -lt $GUEST_MIB ] || fail "$what: it is not ballooned"
xl destroy game
expect "poised knows" 20 says "game: is gone"
[ -z "$(domid game)" ] || fail "$what: domain $old stays as a zombie"
poisectl freeze stream
poisectl freeze web
grow_to 340
domain_start game
expect "the new one is managed (the old one had $given MiB)" 90 is_managed game
poisectl thaw stream
poisectl thaw web
[ "$(status starts game)" = 2 ] || fail "$what: starts=$(status starts game)"
end "game: domain $old is gone" "game: is there with" "game: domain [0-9]* runs"

begin "domain that is not in the configuration" stream web game
# Xen numbers domains one after the other; it does not count from its first page on.
echo $(($(domid game) + 1)) >>$WATCH/ignore
domain_start stranger 80
grep -qx "$(domid stranger)" $WATCH/ignore || fail "$what: has number $(domid stranger)"
limit=$(look domain stranger)
await 20 says "stranger, is not in the configuration"
sleep 2
[ "$(look domain stranger)" = "$limit" ] || fail "$what: its size or limit has changed"
[ -z "$(node stranger memory/poise/target)" ] || fail "$what: poised has written to it"
xl destroy stranger
end "stranger, is not in the configuration"

# As a direct-mapped domain looks: its balloon grows, and Xen gets nothing back.
begin "balloon that frees nothing" web game
tell stream "modprobe poise_liar"
expect "is noticed" 30 detail_has "Xen has got nothing back: direct-mapped?"
tell stream "rmmod poise_liar"
expect "is over" 30 fine stream
end "stream: not-freed: balloon has grown" "stream: over: not-freed"

begin "no toolstack but xenstored" stream web game
killall xenconsoled
alone() {
	! pgrep -f '(^|/)xl |xenconsoled|libxl'
}
expect "nothing else runs" 20 alone
shrink_to 280
end "pool: 71680 pages"

verdict
