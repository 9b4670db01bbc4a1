# SPDX-License-Identifier: MIT
# Reads GCC's call graphs (-fcallgraph-info=su) of all core files and prints the deepest stack of each
# public entry point: "NAME BYTES". `entries`: their names. The port's four functions are the only
# calls through pointers and are not counted, nor are memcpy and memset, which need none.

# The text between the quotes that follow `key: `.
function value(key,   at, rest) {
	at = index($0, key ": \"")
	if (at == 0) {
		return ""
	}
	rest = substr($0, at + length(key) + 3)
	return substr(rest, 1, index(rest, "\"") - 1)
}

/^node:/ {
	label = value("label")
	if (match(label, /[0-9]+ bytes \([a-z,]+\)/)) {
		text = substr(label, RSTART, RLENGTH)
		if (text !~ /\(static\)/) {
			print "stack.awk: " value("title") ": " text > "/dev/stderr"
			bad = 1
		}
		own[value("title")] = text + 0
	}
}

/^edge:/ {
	from = value("sourcename")
	callee[from, ++callees[from]] = value("targetname")
}

# Deepest use from a function on; `path` finds recursion.
function deepest(fn, path,   i, most, below) {
	if (index(path, "|" fn "|") > 0) {
		print "stack.awk: recursion: " path fn > "/dev/stderr"
		bad = 1
		return 0
	}
	if (fn in known) {
		return known[fn]
	}
	if (!(fn in own)) {
		if (fn !~ /^(memcpy|memset|__indirect_call)$/) {
			print "stack.awk: nothing is known of " fn > "/dev/stderr"
			bad = 1
		}
		return 0
	}
	for (i = 1; i <= callees[fn]; i++) {
		below = deepest(callee[fn, i], path "|" fn "|")
		most = below > most ? below : most
	}
	known[fn] = own[fn] + most
	return known[fn]
}

END {
	n = split(entries, name, " ")
	for (e = 1; e <= n; e++) {
		print name[e], deepest(name[e], "")
	}
	exit bad
}
