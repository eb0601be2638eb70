#!/bin/sh
# What failed in the log of `go test -v`, at its end: a run of the labs prints
# tens of thousands of lines. usage: failures.sh LOG
exec awk '
/^ *=== (RUN|NAME|CONT) / { test = $3; next }
/^ *[a-z0-9_]+_test\.go:[0-9]+: / {
	keep = ($0 !~ /\$ requeen |budget_test\.go/) ? 8 : 0 # commands and times are told of every test
}
keep > 0 { said[test] = said[test] $0 "\n"; keep-- }
/^panic: |^fatal error: / { print }
/^ *--- FAIL: / { failed[++n] = $3; keep = 0 }
END {
	if (n) print "\nWhat failed:"
	for (i = 1; i <= n; i++) {
		lines = split(said[failed[i]], line, "\n")
		printf "--- FAIL: %s\n", failed[i]
		for (l = (lines > 40 ? lines - 40 : 1); l < lines; l++) print line[l]
	}
}' "$1"
