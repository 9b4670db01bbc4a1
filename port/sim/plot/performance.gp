# SPDX-License-Identifier: MIT
# Work that the first VM gets done: static, best case, balanced.
set title "Work done by workloads in VM1, video and web in the other VMs"
set ylabel "% of what it would do with all memory it asks for"
set style data histograms
set style histogram clustered gap 1
set yrange [0:*]
set key outside right
set xtics rotate by -30
plot "data/workloads.txt" skip 3 using 12:xtic(1) title "static" linetype 6, \
     "" skip 3 using 13 title "best case" linetype 3, \
     "" skip 3 using 14 title "balanced" linetype 1
