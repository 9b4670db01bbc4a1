# SPDX-License-Identifier: MIT
# Makes one recording of two, as if the daemon that wrote the first had never ended: what the second did to take its
# VMs in is left out, and its requests go on counting. The result replays without a difference exactly if the second
# core has decided from the state that was left to it as the first would have decided.
#	join.awk BEFORE AFTER
# BEFORE is whole, and nobody is moved at its end: what is under way is not carried over. AFTER is of a daemon that
# took all VMs in before the first interval was over; the pool that they left it is told to the first core.
function flush_pool() {
	if (pool != "") {
		print pool
		pool = ""
	}
}
{
	for (i = 3; i <= NF; i++) {
		if ($i ~ /^epoch=/) {
			epoch = substr($i, 7) + 0
			if (FNR == NR) {
				last = epoch > last ? epoch : last
			} else if (epoch > 0) {
				$i = "epoch=" (epoch + last)
			}
		}
	}
}
FNR == NR {
	print
	clock = $1 == "#" ? clock : $1
	next
}
# Taking in ends with the first sample.
$2 == "sample" { in_ = 1; flush_pool() }
in_ { print; next }
# A call without a time of its own is made at that of the one before it.
$2 == "pool" { $1 = clock; pool = $0 }
