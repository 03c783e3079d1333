#!/usr/bin/env bash
# Runs every fuzz target of the repository, in whatever module it is, FUZZTIME each.
set -euo pipefail
cd "$(dirname "$0")/.."

targets=$(grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sed 's/func //' | sort)
for target in $targets; do # ./folder/file_test.go:FuzzName
	folder=$(dirname "${target%%:*}") name=${target##*:}
	echo "--- $name in $folder"
	# Without the short minimisation the fuzzer spends its time on making findings smaller.
	(cd "$folder" && go test -run '^$' -fuzz "^$name\$" -fuzztime "${FUZZTIME:-60s}" -fuzzminimizetime 20x .)
done
