# SPDX-License-Identifier: MIT
# Reads a disassembly (objdump -d --no-show-raw-insn) of AArch64 code and says whether function `fn`
# holds the instructions of the sequence protocol in their order. `role`:
#
#	reader	LDAR Wa,[B]; LDR X...; DMB ISHLD; LDR Wb,[B]: between the two looks nothing but single
#		loads from the page (pairs and vectors are not single-copy atomic), and no call
#	writer	STR Wa,[B]; DMB ISHST; STR X...; STLR Wb,[B]: between the two stores nothing but single
#		stores to the page, no full barrier, and no call
#	raise	STLR W alone; look: LDAR W alone
#
# Prints PASS or FAIL with the reason.

/^[0-9a-f]+ <.*>:$/ {
	inside = ($2 == "<" fn ">:")
	next
}

inside && /^ *[0-9a-f]+:\t/ {
	sub(/^ *[0-9a-f]+:\t/, "")
	sub(/[ \t]*(\/\/|;).*$/, "")
	count++
	op[count] = $1
	args[count] = $0
	sub(/^[a-z0-9.]+[ \t]*/, "", args[count])
}

# The address operand: what is between the brackets, and behind them.
function address(i) {
	return match(args[i], /\[.*$/) ? substr(args[i], RSTART) : ""
}

function on_stack(i) {
	return address(i) ~ /^\[sp|^\[x29/
}

function fail(text) {
	if (!failed) {
		print "FAIL: " name ": " text
	}
	failed = 1
}

# Looks at what lies between the two accesses to the sequence word at `from` and `to`.
function between(from, to, barrier, single, pair,   i, seen, words, narrow) {
	for (i = from + 1; i < to; i++) {
		if (op[i] == "bl" || op[i] == "blr") {
			fail("a call within the copy")
		} else if (op[i] == "dmb" || op[i] == "dsb") {
			if (args[i] != barrier) {
				fail(op[i] " " args[i] " where only " barrier " should be")
			}
			seen = i
		} else if (op[i] ~ pair && !on_stack(i)) {
			fail(op[i] " within the copy is not single-copy atomic")
		} else if (op[i] == single && args[i] !~ /^x/ && !on_stack(i)) {
			# A writer counts its private sequence number on, once.
			if (single == "ldr" || ++narrow > 1) {
				fail(op[i] " " args[i] " within the copy")
			}
		} else if (op[i] == single && args[i] ~ /^x/ && !on_stack(i)) {
			words++
			# A reader's barrier comes after the data, a writer's before.
			if ((single == "ldr") == (seen != 0)) {
				fail(op[i] " " args[i] " on the wrong side of the barrier")
			}
		}
	}
	if (!seen) {
		fail("no DMB " barrier)
	}
	if (!words) {
		fail("no word is copied")
	}
}

function reader(   i, j, found) {
	for (i = 1; i <= count; i++) {
		if (op[i] != "ldar") {
			continue
		}
		for (j = i + 1; j <= count; j++) {
			if (op[j] == "ldar" || (op[j] == "ldr" && args[j] ~ /^w/ && address(j) == address(i))) {
				break
			}
		}
		if (j > count || op[j] == "ldar") {
			fail("no second look by LDR " address(i))
		} else {
			between(i, j, "ishld", "ldr", "^(ldp|ldnp|ldpsw|ld[1-4]r?|ldrb|ldrh)$")
			found++
		}
	}
	if (!found) {
		fail("no LDAR")
	}
}

function writer(   i, j, found) {
	for (i = count; i >= 1; i--) {
		if (op[i] != "stlr") {
			continue
		}
		for (j = i - 1; j >= 1; j--) {
			if (op[j] == "str" && args[j] ~ /^w/ && address(j) == address(i)) {
				break
			}
		}
		if (j < 1) {
			fail("no first store by STR " address(i))
		} else {
			between(j, i, "ishst", "str", "^(stp|stnp|st[1-4]|strb|strh)$")
			found++
		}
	}
	if (!found) {
		fail("no STLR")
	}
}

function has(wanted,   i) {
	for (i = 1; i <= count; i++) {
		if (op[i] == wanted) {
			return
		}
	}
	fail("no " toupper(wanted))
}

END {
	if (count == 0) {
		fail("no such function")
	} else if (role == "reader") {
		reader()
	} else if (role == "writer") {
		writer()
	} else {
		has(role == "raise" ? "stlr" : "ldar")
	}
	if (!failed) {
		print "PASS: " name
	}
	exit failed
}
