# SPDX-License-Identifier: MIT
# How four workloads use memory when there is enough of it.
set datafile separator ","
set ylabel "MiB"
set xlabel "s"
set yrange [0:*]
set key outside bottom center horizontal
set multiplot layout 2, 2 title "Memory of recorded workloads without a limit, Linux 6.18"
do for [load in "play stream web game"] {
	set title load
	plot for [i = 2:5] sprintf("data/pattern-%s.csv", load) using ($1/1000):(mib(column(i))) every ::1 \
		with lines title word("active-anonymous inactive-anonymous active-cache inactive-cache", i - 1)
}
unset multiplot
