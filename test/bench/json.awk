# SPDX-License-Identifier: MIT
# Turns the list of figures ("NAME VALUE", one a line) into bench.json.

{ figure[$1] = $2 }

$1 ~ /^tick\./ { ticks = ticks (ticks == "" ? "" : ", ") "\"" substr($1, 6) "\": " $2 }
$1 ~ /^stack\./ { stacks = stacks (stacks == "" ? "" : ",") "\n    \"" substr($1, 7) "\": " $2 }

END {
	printf "{\"core\": {\"text\": %d, \"text_without_strings\": %d, \"data\": %d, \"bss\": %d,\n", \
		figure["text"], figure["text"] - figure["strings"], figure["data"], figure["bss"]
	printf "  \"export\": %d, \"names\": %d,\n", figure["export"], figure["names"]
	printf "  \"state_per_vm\": %d, \"state_1\": %d, \"stack\": %d,\n  \"stacks\": {%s}},\n", \
		figure["state_per_vm"], figure["state_1"], figure["stack"], stacks
	printf " \"tick\": {%s},\n", ticks
	printf " \"page_read\": %d, \"publish\": %d, \"host_page_write\": %d", \
		figure["page_read"], figure["publish"], figure["host_page_write"]
	printf ", \"urgent_us\": %s}\n", "urgent_us" in figure ? figure["urgent_us"] : "null"
}
