# SPDX-License-Identifier: MIT
# Over- and under-prediction by alpha, for each workload and basis.
set multiplot layout 2, 2 title "Forecast against demand (of the same basis) a second later: means"
set ylabel "MiB"
set xlabel "alpha"
set boxwidth 0.6
set xzeroaxis linetype -1
set xrange [-0.7:3.7]
set key outside right
do for [load in "web game"] {
	do for [basis in "paper resident"] {
		rows = sprintf("< grep '^%s %s ' data/forecast-error.txt", load, basis)
		set title sprintf("%s, basis %s", load, basis)
		plot rows using 0:(mib($5)):xtic(3) with boxes linetype 1 title "too much", \
		     rows using 0:(-mib($6)) with boxes linetype 4 title "too little"
	}
}
unset multiplot
