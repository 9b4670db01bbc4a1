# SPDX-License-Identifier: MIT
# Turns ABI.md's tables into a C program that compares each number with what core/poise_abi.h says,
# and reports each row in a PASS or FAIL line. What is in the prose but in no table is compared too:
# the checksum's example.

BEGIN {
	FS = " *\\| *"
	print "#include <stdio.h>"
	print "#include \"poise_seq.h\""
	print "static int failed;"
	print "static void row(const char *name, unsigned long long have, unsigned long long want)"
	print "{"
	print "\tfailed |= have != want;"
	print "\tprintf(\"%s: %s\\n\", have == want ? \"PASS\" : \"FAIL\", name);"
	print "\tif (have != want) {"
	print "\t\tprintf(\"ABI.md says %llu, the header says %llu\\n\", want, have);"
	print "\t}"
	print "}"
	print "int main(void)"
	print "{"
}

/^## / {
	# A page ends where the next heading comes: there must be no gap up to its last byte.
	if (page != "") {
		printf "\trow(\"%s: no byte left out\", %s, 4096);\n", page, end
	}
	page = match($0, /struct [a-z_]+/) ? substr($0, RSTART, RLENGTH) : ""
	end = 0
}

function plain(text) {
	gsub(/`/, "", text)
	return text
}

$2 ~ /^0x[0-9a-f]+$/ && page != "" {
	name = page " " plain($4)
	printf "\trow(\"%s: offset\", offsetof(%s, %s), %s);\n", name, page, plain($4), $2
	printf "\trow(\"%s: size\", sizeof(((%s *)0)->%s), %s);\n", name, page, plain($4), $3
	printf "\trow(\"%s: follows what is before it\", %s, %s);\n", name, end, $2
	end = $2 " + " $3
	if ($4 ~ /magic/) {
		match($6, /0x[0-9a-f]+/)
		printf "\trow(\"%s\", POISE_ABI_%s_MAGIC, %s);\n", name,
			page ~ /guest/ ? "GUEST" : "HOST", substr($6, RSTART, RLENGTH)
	}
	if ($4 ~ /length/) {
		match($6, /[0-9]+ to [0-9]+/)
		split(substr($6, RSTART, RLENGTH), range, " to ")
		printf "\trow(\"%s: least\", POISE_ABI_%s, %s);\n", name,
			page ~ /guest/ ? "GUEST_LENGTH_MIN" : "HOST_LENGTH", range[1]
		printf "\trow(\"%s: most\", POISE_ABI_LENGTH_MAX, %s);\n", name, range[2]
	}
}

$2 ~ /^`POISE_/ {
	printf "\trow(\"%s\", %s, %s);\n", plain($2), plain($2), $3
}

/^sum := \(sum xor w\)/ || /sum := 0x/ {
	if (match($0, /sum := 0x[0-9a-f]+/)) {
		printf "\trow(\"checksum: seed\", POISE_ABI_CHECKSUM_SEED, %sULL);\n", \
			substr($0, RSTART + 7, RLENGTH - 7)
	}
}

match($0, /Words 1, 2, 3 give 0x[0-9a-f]+/) {
	print "\tstatic const uint64_t words[] = {0, 1, 2, 3};"
	printf "\trow(\"checksum: example\", poise_seq_checksum(words, sizeof(words)), %sULL);\n", \
		substr($0, RSTART + 19, RLENGTH - 19)
	example = 1
}

END {
	printf "\trow(\"checksum: there is an example\", 1, %d);\n", example
	print "\treturn failed;"
	print "}"
}
