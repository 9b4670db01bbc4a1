# SPDX-License-Identifier: MIT
# A recording: each run's sizes over time, and what all VMs have swapped out.
runs = int(system("awk -F, 'NR > 1 && $1 > n { n = $1 } END { print n + 0 }' data/recording.csv"))
vms(run) = system(sprintf("awk -F, 'NR > 1 && $1 == %d && !seen[$4]++ { print $4 }' data/recording.csv", run))
policy(run) = system(sprintf("awk -F, 'NR > 1 && $1 == %d { print $2; exit }' data/recording.csv", run))
rows(run, vm) = sprintf("< awk -F, 'NR > 1 && $1 == %d && $4 == %s' data/recording.csv", run, vm)
sums(run) = sprintf("< awk -F, 'NR > 1 && $1 == %d { if ($3 != t && n++) print t \",\" s; if ($3 != t) s = 0; t = $3; s += $8 } END { print t \",\" s }' data/recording.csv", run)
set datafile separator ","
set terminal svg size wide, 220 * (runs + 1) dynamic background "white" font "sans,12"
set yrange [0:*]
set key outside right
set ylabel "MiB"
set multiplot layout runs + 1, 1
do for [run = 1:runs] {
	set title sprintf("Run %d, policy %s: memory of the VMs", run, policy(run))
	plot for [i = 1:words(vms(run))] rows(run, word(vms(run), i)) using ($3/1000):(mib($5)) \
		with steps title sprintf("VM %s", word(vms(run), i))
}
set title "Swapped out so far by all VMs"
set xlabel "s"
plot for [run = 1:runs] sums(run) using ($1/1000):(mib($2)) with lines \
	title sprintf("run %d, %s", run, policy(run))
unset multiplot
