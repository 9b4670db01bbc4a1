# SPDX-License-Identifier: MIT
# Memory of one system against memory of two VMs that run the same programs.
set datafile separator ","
set ylabel "MiB"
set key outside right
set yrange [0:*]
set xrange [0:240]
set rmargin 30
set multiplot layout 3, 1
set title "One system of 1024 MiB: the video's page cache makes room for the game"
plot "data/native.csv" every ::1 using ($1/1000):(mib($4)) with lines title "anonymous", \
     "" every ::1 using ($1/1000):(mib($5)) with lines title "page cache", \
     "" every ::1 using ($1/1000):(mib($6)) with lines linetype 4 title "in swap"
set title "Two VMs of 512 MiB, static: the game swaps beside the video's page cache"
plot "data/virtual-static.csv" every ::1 using ($1/1000):(mib($11)) with lines title "game: anonymous", \
     "" every ::1 using ($1/1000):(mib($5)) with lines title "video: page cache", \
     "" every ::1 using ($1/1000):(mib($13)) with lines linetype 4 title "game: in swap", \
     "" every ::1 using ($1/1000):(mib($14)) with lines linetype 5 title "game: swapped out so far"
set xlabel "s"
set title "Two VMs, balanced by policy poise"
plot "data/virtual-poise.csv" every ::1 using ($1/1000):(mib($11)) with lines title "game: anonymous", \
     "" every ::1 using ($1/1000):(mib($5)) with lines title "video: page cache", \
     "" every ::1 using ($1/1000):(mib($13)) with lines linetype 4 title "game: in swap", \
     "" every ::1 using ($1/1000):(mib($14)) with lines linetype 5 title "game: swapped out so far", \
     "" every ::1 using ($1/1000):(mib($9)) with lines linetype 6 title "game: its memory"
unset multiplot
