# SPDX-License-Identifier: MIT
# Critical memory amounts with and without the emergency path: three VMs, seven columns each.
set datafile separator ","
set multiplot layout 2, 1
set ylabel "MiB"
set title "Swapped out so far by three VMs that launch applications in turn"
plot "data/emergency-0.csv" every ::1 using ($1/1000):(mib($7 + $14 + $21)) with lines linetype 4 title "every 10 s only", \
     "data/emergency-1.csv" every ::1 using ($1/1000):(mib($7 + $14 + $21)) with lines linetype 1 title "and at the first swap"
set ylabel "s"
set xlabel "s"
set title "Time lost to memory so far"
plot "data/emergency-0.csv" every ::1 using ($1/1000):(($8 + $15 + $22)/1000) with lines linetype 4 title "every 10 s only", \
     "data/emergency-1.csv" every ::1 using ($1/1000):(($8 + $15 + $22)/1000) with lines linetype 1 title "and at the first swap"
unset multiplot
