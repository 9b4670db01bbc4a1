# SPDX-License-Identifier: MIT
# Doxygen's input filter: the house's comments are plain ones, and Doxygen reads those that start with /**.
# A comment that stands alone is about what comes after it, one behind code is about what stands before it,
# and the first of a file is about the file. Doxygen does not look into lists (.def), which become the members
# of the enums and structs that they are included in: they are put in here.

/^\/\* SPDX-License-Identifier/ { next }

# Documents below the top are not part of the reference: their names stand there without a link.
FILENAME ~ /\.md$/ {
	while (match($0, /\[[^]]*\]\([a-z]*\/[^)]*\.md\)/)) {
		link = substr($0, RSTART + 1, RLENGTH)
		sub(/\].*/, "", link)
		$0 = substr($0, 1, RSTART - 1) link substr($0, RSTART + RLENGTH)
	}
	print
	next
}

/^#include ".*\.def"$/ {
	list = FILENAME
	sub(/[^\/]*$/, $2, list)
	gsub(/"/, "", list)
	inside = 0
	while ((getline line <list) > 0) {
		inside = inside || line ~ /^\/\*/
		if (!inside) {
			print line
		}
		inside = inside && line !~ /\*\/$/
	}
	close(list)
	next
}

!begun && /^\/\*/ {
	sub(/^\/\*/, "/** @file\n *")
	begun = 1
	print
	next
}

/^[ \t]*\/\*/ {
	sub(/\/\*/, "/**")
	print
	next
}

/[^ \t].*\/\*/ { sub(/\/\*/, "/**<") }
{ print }
