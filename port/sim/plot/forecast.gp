# SPDX-License-Identifier: MIT
# Demand against forecast, for four values of alpha; `load` and `basis` say of what.
set multiplot layout 2, 2 title sprintf("%s, basis %s: demand, and the forecast made a second before", load, basis)
set ylabel "MiB"
set key bottom right
set xlabel "s"
do for [alpha in "0.25 0.5 0.75 1"] {
	file = sprintf("data/forecast-%s-%s-%s.txt", load, basis, alpha)
	rows = sprintf("< grep -v '[a-z]' %s", file)
	off = system(sprintf("awk -F '[ ,]+' 'END { printf \"%%.2f MiB off: %%.2f over, %%.2f under\", $5 / 256, $7 / 256, $9 / 256 }' %s", file))
	set title sprintf("alpha %s: %s", alpha, off)
	plot rows using ($1/1000):(mib($2)) with lines linetype 6 title "demand", \
	     rows using ($1/1000+1):(mib($3)) with lines linetype 4 title "forecast"
}
unset multiplot
