# SPDX-License-Identifier: MIT
# Compares figures that are stated with figures that were measured: the README's tables as they are
# (first file) and as they would be written now (second file). Prints what is wrong, one line each.
# Exit: 1 if anything is.
#
# Words have to be the same, and so have budgets, and whether they are met. Numbers may be off by what
# another compiler or a small change of the code makes: 5 percent in the table of costs, 10 percent,
# or 2, in the table of the run; a time in microseconds by a factor of two. What no compiler changes
# has to be the same: the size of the state, and how the static partitions fare, which guests and traces
# decide.

# Splits a line into its words (word[1..n+1]) and the n numbers between them (number[1..n]).
function split_line(line, word, number,   n) {
	n = 0
	while (match(line, /[0-9][0-9,]*(\.[0-9]+)?/)) {
		n++
		word[n] = substr(line, 1, RSTART - 1)
		number[n] = substr(line, RSTART, RLENGTH)
		gsub(/,/, "", number[n])
		number[n] += 0
		line = substr(line, RSTART + RLENGTH)
	}
	word[n + 1] = line
	for (i = 1; i <= n + 1; i++) {
		gsub(/[ \t]+/, " ", word[i])
	}
	return n
}

# How far two figures, the i-th ones of a line, may be apart; `least` is the smaller one.
function allowed(line, i, least,   table) {
	table = line ~ /^\|/
	if (table ? line ~ /^\| (state|core: variables)/ : i == 1 && line !~ /^CPU time/) {
		return 0 # by the ABI's layout; by guests and traces alone
	}
	if (line ~ /(, us | us \|)/) {
		return least
	}
	if (table) {
		return least / 20
	}
	return least > 20 ? least / 10 : 2
}

function wrong(stated, measured, why) {
	print "stated:   " stated
	print "measured: " measured
	print "          " why
	bad = 1
}

# Compares the part of two lines in which numbers may be off.
function compare(stated, measured, part, other,   a, b, na, nb, wa, wb, i, least, most) {
	na = split_line(part, wa, a)
	nb = split_line(other, wb, b)
	if (na != nb) {
		wrong(stated, measured, "not the same number of figures")
		return
	}
	for (i = 1; i <= na + 1; i++) {
		if (wa[i] != wb[i]) {
			wrong(stated, measured, "\"" wa[i] "\" is not \"" wb[i] "\"")
			return
		}
	}
	for (i = 1; i <= na; i++) {
		least = a[i] < b[i] ? a[i] : b[i]
		most = a[i] < b[i] ? b[i] : a[i]
		if (most - least > allowed(stated, i, least)) {
			wrong(stated, measured, a[i] " is too far from " b[i])
			return
		}
	}
}

NR == FNR { text[FNR] = $0; lines = FNR; next }

FNR > lines { wrong("", $0, "a line that is not stated"); next }

{
	# In a table of costs: | what | measured | budget |
	if (split(text[FNR], s, "|") == 5 && split($0, m, "|") == 5) {
		if (s[2] != m[2] || s[4] != m[4]) {
			wrong(text[FNR], $0, "the row or its budget differs")
		} else {
			compare(text[FNR], $0, s[3], m[3])
		}
	} else if (text[FNR] ~ /^[|]|  [0-9]|^poise: /) {
		compare(text[FNR], $0, text[FNR], $0)
	} else if (text[FNR] != $0) {
		wrong(text[FNR], $0, "not the same text")
	}
}

END {
	if (FNR < lines) {
		wrong(text[FNR + 1], "", "a line that nothing measures")
	}
	exit bad
}
