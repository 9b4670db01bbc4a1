# SPDX-License-Identifier: MIT
# Memory of three VMs over time, for four workloads in the first.
set datafile separator ","
set ylabel "MiB"
set xlabel "s"
set yrange [0:*]
set key outside bottom center horizontal
set multiplot layout 2, 2 title "Memory of the VMs, balanced by policy poise"
do for [load in "script compile arrays encode"] {
	set title load
	plot for [vm = 0:2] sprintf("< awk -F, '$4 == %d' data/allocation-%s.csv", vm, load) \
		using ($3/1000):(mib($5)) with steps title word("VM1 video web", vm + 1)
}
unset multiplot
