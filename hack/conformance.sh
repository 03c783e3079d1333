#!/usr/bin/env bash
# Leads the life of a classifier on bin/factory, or on what FACTORY names, with the official SDKs. TypeScript needs Node 20 and a package registry;
# every version is pinned by the lock files. Python takes the SDK from the package index, or from what MISTRAL_PYTHON_SDK
# names: a git repository with the versions' tags, or a checkout of one of them (the interpreter needs httpx and pydantic 2
# then). A version that is not to be had is skipped, and said to be.
set -euo pipefail
cd "$(dirname "$0")/../test/conformance"

for sdk in sdk-1 sdk-2 sdk-newest; do
	npm ci --prefix "$sdk" --ignore-scripts --no-audit --no-fund --loglevel=error
done
failed=0
node --test --test-reporter=spec life.test.mjs || failed=1

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export PYTHONDONTWRITEBYTECODE=1

# unpack puts the SDK's sources into a folder, from the repository or checkout that is named.
unpack() {
	if git -C "$MISTRAL_PYTHON_SDK" rev-parse --quiet --verify "v$MISTRAL_VERSION^{commit}" >/dev/null 2>&1; then
		git -C "$MISTRAL_PYTHON_SDK" archive "v$MISTRAL_VERSION" src | tar -x -C "$1"
	elif grep -qs "^version = \"$MISTRAL_VERSION\"" "$MISTRAL_PYTHON_SDK/pyproject.toml"; then
		cp -r "$MISTRAL_PYTHON_SDK/src" "$1"
	else
		return 1
	fi
}

for MISTRAL_VERSION in 1.9.11 2.5.1; do
	export MISTRAL_VERSION
	place=$scratch/$MISTRAL_VERSION
	mkdir "$place"
	if [ -n "${MISTRAL_PYTHON_SDK:-}" ]; then
		if unpack "$place"; then
			MISTRAL_SOURCE=$place/src python3 python/life.py || failed=1
		else
			echo "SKIPPED Python SDK $MISTRAL_VERSION: $MISTRAL_PYTHON_SDK has neither its tag nor is a checkout of it"
		fi
	elif python3 -m venv "$place" && "$place/bin/pip" install --quiet --retries 0 "mistralai==$MISTRAL_VERSION" 2>"$place/why"; then
		"$place/bin/python" python/life.py || failed=1
	else
		echo "SKIPPED Python SDK $MISTRAL_VERSION: it cannot be installed, and MISTRAL_PYTHON_SDK names no repository of it: $(tail -n 1 "$place/why" 2>/dev/null || echo "python3 makes no virtual environment")"
	fi
done
exit $failed
