# SPDX-License-Identifier: MIT
# Turns the list of figures ("NAME VALUE", one a line) into the README's table. The budgets are here.

{ figure[$1] = $2 }

function group(n,   text) {
	for (text = n; text ~ /^[0-9][0-9][0-9][0-9]/; ) {
		sub(/^[0-9]+/, "&", text)
		match(text, /^[0-9]+/)
		text = substr(text, 1, RLENGTH - 3) "," substr(text, RLENGTH - 2)
	}
	return text
}

# One row; no budget: budget is "".
function row(what, value, unit, budget) {
	printf "| %s | %s%s | %s |\n", what, group(value), unit, \
		budget == "" ? "" : group(budget) unit (value + 0 <= budget ? ", met" : ", **missed**")
}

END {
	print "| | measured | budget |"
	print "|---|---:|---|"
	row("core: code and constants, GCC 12 `-Os`, AArch64", figure["text"], " bytes", 8192)
	row("of that without the error strings (`err.c`)", figure["text"] - figure["strings"], " bytes", "")
	row("beside that, if called: `poise_export`, `poise_import` (`export.c`)", figure["export"], " bytes", "")
	row("beside that, if called: names and words (`names.c`)", figure["names"], " bytes", "")
	row("core: variables", figure["data"] + figure["bss"], " bytes", 0)
	row("state for each VM", figure["state_per_vm"], " bytes", 512)
	row("state without VMs", figure["state_1"] - figure["state_per_vm"], " bytes", "")
	row("deepest stack of any call, the port's functions not counted", figure["stack"], " bytes", 512)
	for (n = 1; n <= 64; n *= 2) {
		row("tick, " n " VM" (n == 1 ? "" : "s"), figure["tick." n], " instructions", \
			n == 16 ? 10000 : "")
	}
	row("reading a guest's page, with all tries", figure["page_read"], " instructions", "")
	row("writing a host page", figure["host_page_write"], " instructions", "")
	row("guest driver: publishing a sample", figure["publish"], " instructions", 5000)
	if ("urgent_us" in figure) {
		row("from the doorbell to the request for relief, on the board", figure["urgent_us"], \
			" us", 1000)
	}
	print ""
	print "Instructions are counted exactly, at EL2; a tick is the worst of many thousand states that a"
	print "search has found, with a port that answers at once. Up to 16 VMs the table has 16 slots, above"
	print "as many as there are VMs. `make bench` measures and writes this table anew."
}
