# SPDX-License-Identifier: MIT
# LRU lists that share frames: the strategies, and how often frames move.
set multiplot layout 2, 1
set title "Miss ratio of all VMs, 16 frames"
set style data histograms
set style histogram clustered gap 1
set yrange [0:*]
set key outside right
plot "data/lru-ratio.txt" using 2:xtic(1) title "static" linetype 6, \
     "" using 3 title "recent misses" linetype 2, \
     "" using 4 title "all misses" linetype 1
set title "Misses of each VM when frames move every K accesses, first test"
set xlabel "K"
set style data linespoints
plot for [vm = 0:3] "data/lru-sweep.txt" skip 1 using 1:(column(vm + 2)) linetype vm + 1 linewidth 4 - vm \
	pointtype 7 pointsize 0.5 title sprintf("VM%d", vm)
unset multiplot
