#!/usr/bin/env bash
# Leads the life of a classifier on bin/factory with the official SDKs. TypeScript needs Node 20 and a package registry;
# every version is pinned by the lock files. Python takes the SDK from the package index, or from the git repository of
# the SDK that MISTRAL_PYTHON_SDK names (its interpreter needs httpx and pydantic 2 then); without either it is skipped.
set -euo pipefail
cd "$(dirname "$0")/../test/conformance"

for sdk in sdk-1 sdk-2 sdk-newest; do
	npm ci --prefix "$sdk" --ignore-scripts --no-audit --no-fund --loglevel=error
done
node --test --test-reporter=spec life.test.mjs

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export PYTHONDONTWRITEBYTECODE=1
failed=0
for MISTRAL_VERSION in 1.9.11 2.5.1; do
	export MISTRAL_VERSION
	place=$scratch/$MISTRAL_VERSION
	if [ -n "${MISTRAL_PYTHON_SDK:-}" ]; then
		mkdir "$place"
		git -C "$MISTRAL_PYTHON_SDK" archive "v$MISTRAL_VERSION" src | tar -x -C "$place"
		MISTRAL_SOURCE=$place/src python3 python/life.py || failed=1
	elif python3 -m venv "$place" && "$place/bin/pip" install --quiet --retries 0 "mistralai==$MISTRAL_VERSION" 2>"$place/why"; then
		"$place/bin/python" python/life.py || failed=1
	else
		echo "SKIPPED Python SDK $MISTRAL_VERSION: it cannot be installed, and MISTRAL_PYTHON_SDK names no repository of it"
	fi
done
exit $failed
