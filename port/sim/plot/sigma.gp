# SPDX-License-Identifier: MIT
# What a small allowance for caches costs.
vms = system("awk 'NR > 1 && NF == 8 { print $1 }' data/sigma.txt | uniq")
rows(file, vm) = sprintf("< awk 'NF == 8 && $1 == \"%s\"' data/%s", vm, file)
set multiplot layout 2, 1
set title "Work lost with memory of W + sigma × total; dashed: corrected by feedback"
set ylabel "%"
set key top right
plot for [i = 1:words(vms)] rows("sigma.txt", word(vms, i)) using 2:4 with linespoints \
	linetype i pointtype 7 pointsize 0.4 title word(vms, i), \
     for [i = 1:words(vms)] rows("sigma-feedback.txt", word(vms, i)) using 2:4 with lines \
	linetype i dashtype 2 notitle, \
     5 linetype -1 dashtype 3 title "5 %"
set title "Memory that the VM has, of 1024 MiB"
set xlabel "sigma"
set ylabel "MiB"
set key bottom right
set yrange [0:*]
plot for [i = 1:words(vms)] rows("sigma.txt", word(vms, i)) using 2:5 with linespoints \
	linetype i pointtype 7 pointsize 0.4 title word(vms, i), \
     for [i = 1:words(vms)] rows("sigma-feedback.txt", word(vms, i)) using 2:5 with lines \
	linetype i dashtype 2 notitle
unset multiplot
