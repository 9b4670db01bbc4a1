# SPDX-License-Identifier: MIT
# Turns a recorded trace (test/traces/*.csv) into assembler data: the blob that workload.c reads,
# laid out as struct trace_head and struct trace_row. Assembler, because no awk writes binary alike.
#
# Modelled here, not recorded: the program's own files, those it uses over and over, are taken to be
# half of the file pages that it had read after five seconds. That is close to what stays active
# when the same programs run with too little memory.

BEGIN {
	FS = ","
	kind = 0
	interval = 250
	rows = 0
}

/^# workload: numeric/ { kind = 1 }
/^# sample_interval_ms:/ { interval = substr($0, index($0, ":") + 2) + 0 }
/^#/ { next }

!header {
	for (i = 1; i <= NF; i++)
		column[$i] = i
	header = 1
	if (!("t_ms" in column) || !("inactive_anon" in column) || !("cpu_ms" in column) ||
	    !("minor_faults" in column) || !("inactive_file" in column)) {
		print FILENAME ":" FNR ": not a trace header" > "/dev/stderr"
		failed = 1
		exit 1
	}
	next
}

NF < 14 {
	print FILENAME ":" FNR ": " NF " columns instead of 14" > "/dev/stderr"
	failed = 1
	exit 1
}

{
	anon[rows] = $column["active_anon"] + $column["inactive_anon"] + $column["swap_used"]
	file[rows] = $column["active_file"] + $column["inactive_file"]
	cpu[rows] = delta($column["cpu_ms"], last_cpu)
	faults[rows] = delta($column["minor_faults"], last_faults)
	last_cpu = $column["cpu_ms"]
	last_faults = $column["minor_faults"]
	if ($column["t_ms"] <= 5000)
		hot_file = int(file[rows] / 2)
	rows++
}

function delta(now, before, d)
{
	d = now - before
	return d < 0 ? 0 : d > 65535 ? 65535 : d
}

END {
	if (failed)
		exit 1
	if (!rows) {
		print FILENAME ": no rows" > "/dev/stderr"
		exit 1
	}
	print "\t.section .rodata"
	printf "\t.long 0x43525450, 1, %d, %d, %d, %d, 0, 0\n", rows, interval, kind, hot_file
	for (i = 0; i < rows; i++) {
		printf "\t.long %d, %d\n", anon[i], file[i]
		printf "\t.short %d, %d\n", cpu[i], faults[i]
	}
}
