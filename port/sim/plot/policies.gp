# SPDX-License-Identifier: MIT
# Time that all VMs of all scenarios stood still for memory, by policy, the least first.
set title "Time lost to memory over all scenarios of test/scenario, by policy"
set ylabel "s"
set yrange [0:*]
set boxwidth 0.7
set xtics rotate by -40
unset key
# The core's own policies stand out, and what has hindsight steps back.
colour(name) = name eq "poise" ? 0x0072b2 : name eq "paper" || name eq "static" ? 0x56b4e9 : \
	name eq "best" || name eq "oracle" ? 0xbbbbbb : 0xe69f00
plot "data/policies.txt" skip 1 using 0:2:(colour(strcol(1))):xtic(1) with boxes linecolor rgb variable, \
     "" skip 1 using 0:2:(sprintf("%.0f", $2)) with labels offset 0, 0.7 font ",9"
