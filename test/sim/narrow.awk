# SPDX-License-Identifier: MIT
# Makes a table of poise-sim fit into a document: of blanks that all its long lines have in one place one
# stays, and a name of more than 20 characters, which has pushed its row aside, gets a line of its own.
# Lines of up to 100 characters stay as they are.

# A row's first figure ends at the 28th character.
length($0) > 100 && match($0, /^[^ ]+/) && RLENGTH > 20 {
	line[++n] = substr($0, 1, RLENGTH)
	rest = substr($0, RLENGTH + 1)
	sub(/^ +/, "", rest)
	split(rest, word, " ")
	$0 = sprintf("%" 28 - length(word[1]) "s", "") rest
}

{ line[++n] = $0 }

length($0) > 100 {
	for (c = 1; c <= length($0); c++) {
		if (substr($0, c, 1) != " ") {
			used[c] = 1
		}
	}
}

END {
	for (i = 1; i <= n; i++) {
		if (length(line[i]) <= 100) {
			print line[i]
			continue
		}
		out = ""
		for (c = 1; c <= length(line[i]); c++) {
			if (used[c] || used[c - 1]) {
				out = out substr(line[i], c, 1)
			}
		}
		print out
	}
}
