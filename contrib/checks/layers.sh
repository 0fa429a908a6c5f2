#!/bin/sh
# Proves the include rule of CONTRIBUTING.md: a file in watchdog/LAYER includes only headers of its own layer and of
# those below it; siblings are strangers; each library is known to one file. A new header, layer or library is a row here.
set -eu
cd "${1:-.}"

# shellcheck disable=SC2046 # names without spaces
awk '
function layer(name, below) {
	allowed[name] = " " name " " below " "
}
function headers(name, list,    i, count, parts) {
	count = split(list, parts, " ")
	for (i = 1; i <= count; i++)
		home["watchdog/" parts[i] ".h"] = name
}
function library(pattern, file) {
	knows[pattern] = file
}
BEGIN {
	layer("base", "")
	layer("words", "base")
	layer("config", "words base")
	middle = "core engine store vault meter"
	count = split(middle, siblings, " ")
	for (i = 1; i <= count; i++)
		layer(siblings[i], "config words base")
	layer("act", middle " config words base")
	layer("world", "act " middle " config words base")
	layer("face", "act " middle " config words base")

	headers("base", "error memory text map time json log loop http digest")
	headers("words", "words records snapshot sample facts orders")
	headers("config", "policy settings")
	headers("core", "guard calendar keeping")
	headers("engine", "endpoint engine wire recreate")
	headers("store", "store")
	headers("meter", "meter")
	headers("vault", "vault")
	headers("act", "act hook")
	headers("face", "control report")

	library("^curl/", "watchdog/base/http.c")
	library("^ev[.]h$", "watchdog/base/loop.c")
	library("^cjson/", "watchdog/base/json.c")
	library("^(uthash|utlist|utarray)[.]h$", "watchdog/base/map.c")
	library("^sodium[.]h$", "watchdog/base/digest.c")
	library("^ini[.]h$", "watchdog/config/load.c")
	library("^sqlite3[.]h$", "watchdog/store/database.c")
	library("^archive(_entry)?[.]h$", "watchdog/vault/tar.c")
	library("^zstd[.]h$", "watchdog/vault/squeeze.c")
	library("^(n?curses|term)[.]h$", "watchdog/face/top.c")
}
function complain(what) {
	print FILENAME ":" FNR ": " what
	bad = 1
}
FNR == 1 {
	count = split(FILENAME, path, "/")
	promise = path[1] == "include"
	mine = promise ? home["watchdog/" path[count]] : path[2]
	files[FILENAME] = 1
	if (!(mine in allowed))
		complain((promise ? "this header" : "the directory " mine) " belongs to no layer: give it one in contrib/checks/layers.sh")
	if (promise)
		promised[mine] = 1
}
promise && FNR == 121 {
	complain("a header of promises has at most 120 lines")
}
/^[ \t]*#[ \t]*include[ \t]/ {
	what = $0
	sub(/^[ \t]*#[ \t]*include[ \t]+/, "", what)
	quoted = what ~ /^"/
	what = substr(what, 2)
	sub(/[">].*$/, "", what)
	if (quoted) {
		if (promise || what ~ /\//)
			complain("\"" what "\": quotes are for headers of the same directory")
	} else if (what ~ /^watchdog\//) {
		if (!(what in home))
			complain("<" what "> belongs to no layer: give it one in contrib/checks/layers.sh")
		else if (index(allowed[mine], " " home[what] " ") == 0)
			complain(mine " includes <" what "> of " home[what] ", which is not below it")
	} else {
		for (pattern in knows)
			if (what ~ pattern) {
				if (knows[pattern] != FILENAME)
					complain("<" what "> is known to " knows[pattern] " alone")
				met[pattern] = 1
			}
	}
}
END {
	for (pattern in knows)
		if (!met[pattern] && (knows[pattern] in files)) {
			print knows[pattern] ": does not include what matches " pattern ": is its row in contrib/checks/layers.sh out of date?"
			bad = 1
		}
	exit bad
}' include/watchdog/*.h $(find watchdog -name '*.[ch]' | sort)
