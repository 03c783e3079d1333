#!/usr/bin/env bash
# Runs a command and fails when it changed a file: what is committed is what the
# generators write. On CI it also fails on files that were never committed.
set -euo pipefail
cd "$(dirname "$0")/.."

index=$(mktemp)
trap 'rm -f "$index"' EXIT

# Names the tree that committing everything as it stands would make.
snapshot() {
	cp "$(git rev-parse --git-path index)" "$index"
	GIT_INDEX_FILE=$index git add --all
	GIT_INDEX_FILE=$index git write-tree
}

if [ -n "${CI:-}" ]; then
	before=$(git rev-parse 'HEAD^{tree}')
else
	before=$(snapshot)
fi
"$@"
after=$(snapshot)
if [ "$before" != "$after" ]; then
	git --no-pager diff --stat "$before" "$after"
	echo "These files are not as committed: look at the difference and commit it." >&2
	exit 1
fi
