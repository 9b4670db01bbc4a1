# SPDX-License-Identifier: MIT
# What the first VM swaps out, static and balanced; above it what balancing saves.
set title "Swapped out by workloads in VM1; the number says how much less when balanced"
set ylabel "MiB"
set style data histograms
set style histogram clustered gap 1
set yrange [0:*]
set key outside right
set xtics rotate by -30
less(text) = strlen(text) > 1 ? text . " %" : ""
plot "data/workloads.txt" skip 3 using 2:xtic(1) title "static" linetype 6, \
     "" skip 3 using 4 title "balanced" linetype 1, \
     "" skip 3 using 0:2:(less(strcol(5))) with labels offset 0, 0.7 notitle
