#!/bin/busybox sh
# SPDX-License-Identifier: MIT
# shellcheck shell=dash
# poised and domains that Xen has built itself, before dom0: one without xenstore, one with it. And
# dom0, which is direct-mapped.
# shellcheck source=test/xen/dom0.sh
. /dom0.sh
# shellcheck source=test/xen/judge.sh
. /judge.sh
BALLOON=/sys/devices/system/xen_memory/xen_memory0
BARE=1 # their numbers: in the order of the device tree
TV=2

# config MEMORY MAX: of the domain that has xenstore.
config() {
	cat >$CONF <<-END
		backend = "xen";
		pool = "96M";
		host_reserve = "16M";
		policy = { name = "poise"; interval_ms = 500; };
		vms = (
			{ name = "tv"; domain = "dom0less-$TV"; memory = "$1"; min = "48M"; boot = "$2M"; max = "$2M"; },
			{ name = "dom0"; domain = "Domain-0"; min = "1M"; boot = "1M"; max = "96M"; }
		);
	END
}

pages_of() {
	xl list "$1" | awk 'NR == 2 { print $3 * 256 }'
}

# xen_gained MIB: whether Xen has more free than when it was looked at, by what the domain had more
# than MIB, but for one. It may have given some for the core's reserve by then.
xen_gained() {
	[ $(($(look free) - free)) -ge $(((had - $1 - 1) * 256)) ]
}

dom0_up
mkdir $WATCH
echo 96 >$WATCH/pool
echo 48 >$WATCH/min
echo $BARE >$WATCH/ignore
: >/tmp/poised.log
: >$LOOK_LOG
config auto 96
: >"$LOGS/guest-tv.log" # Nobody has a console of it.
watch_start
begin "built by Xen, not introduced to xenstore"
poised_start
dom0_pages=$(pages_of 0)
dom0_target=$(cat $BALLOON/target_kb)
expect "is named" 20 says "domain $TV has no name in xenstore"
end "domain $BARE has no name in xenstore, left alone: built by Xen at boot"

begin "built by Xen, introduced to xenstore"
bare=$(pages_of $BARE)
init-dom0less >/dev/null || fail "$what: init-dom0less"
expect "is found by its name, mapped and managed" 60 is_managed tv
free=$(look free)
had=$(size_mib "dom0less-$TV")
[ "$had" -ge 90 ] || fail "$what: has $had MiB only"
config auto 64
kill -HUP "$poised_pid"
expect "gives memory back" 60 size_at_most "dom0less-$TV" 64
echo 64 >$WATCH/pool
expect "Xen has it" 60 xen_gained 64
[ "$(pages_of $BARE)" = "$bare" ] || fail "$what: the domain without xenstore has $(pages_of $BARE) pages"
end "tv: is there with" "tv: domain $TV"

# What the rule rests on: dom0's balloon grows, and Xen has no page more.
begin "dom0" tv
expect "says why it is left out" 20 detail_has "dom0 is direct-mapped: pages that it gives up stay"
[ "$(status state dom0)" = absent ] || fail "$what: is $(status state dom0)"
free=$(look free)
echo $((dom0_target - 32768)) >$BALLOON/target_kb
dom0_has() {
	[ "$(cat $BALLOON/info/current_kb)" -le $((dom0_target - 32768)) ]
}
expect "gives 32 MiB of its own accord" 60 dom0_has
[ "$(look free)" -le "$free" ] || fail "$what: Xen has $(($(look free) - free)) pages more: it is not direct-mapped"
echo "$dom0_target" >$BALLOON/target_kb
[ "$(pages_of 0)" = "$dom0_pages" ] || fail "$what: has $(pages_of 0) pages"
xenstore-ls /local/domain/0/memory/poise >/dev/null 2>&1 && fail "$what: poised has set its target"
end

begin "static memory, says the configuration"
kill "$poised_pid"
wait "$poised_pid" || fail "$what: poised ended with $?"
config static 64
target=$(node dom0less-$TV memory/target)
limit=$(look domain dom0less-$TV)
poised_start
expect "says why it is left out" 20 detail_has "static memory: pages that it gives up are nobody else"
sleep 2
[ "$(node dom0less-$TV memory/target)" = "$target" ] || fail "$what: its target has changed"
[ "$(look domain dom0less-$TV)" = "$limit" ] || fail "$what: its size or limit has changed"
end "tv: domain $TV is left out: static memory"

verdict
