#!/usr/bin/env bash
# Fails when the go.mod or go.sum of a module here is not what `go mod tidy` makes of it.
set -euo pipefail
cd "$(dirname "$0")/.."

untidy=0
for file in $(git ls-files go.mod '*/go.mod'); do
	if ! (cd "$(dirname "$file")" && go mod tidy -diff); then
		echo "$file is not tidy: run 'go mod tidy' beside it" >&2
		untidy=1
	fi
done
exit "$untidy"
