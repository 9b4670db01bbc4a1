# SPDX-License-Identifier: MIT
# Error of estimated working sets against what it costs to look.
vms = system("awk 'NR > 1 { print $1 }' data/estimators.txt | uniq")
set multiplot layout 2, 2 title "Working sets estimated from dirty and from accessed pages"
set logscale x
set xlabel "stage 2 entries looked at in an interval"
set ylabel "mean error, % of the working set"
set yrange [0:*]
set key center right
do for [i = 1:words(vms)] {
	set title word(vms, i)
	plot for [from in "dirty accessed"] sprintf("< awk '$1 == \"%s\" && $2 == \"%s\"' data/estimators.txt", word(vms, i), from) \
		using 9:8 with linespoints linetype (from eq "dirty" ? 4 : 1) pointtype 7 pointsize 0.5 title from
}
unset multiplot
