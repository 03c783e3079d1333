#!/usr/bin/env bash
# Leads the life of a classifier on bin/factory with the official TypeScript SDKs. Needs Node 20
# and a package registry; every version is pinned by the lock files.
set -euo pipefail
cd "$(dirname "$0")/../test/conformance"

for sdk in sdk-1 sdk-2; do
	npm ci --prefix "$sdk" --ignore-scripts --no-audit --no-fund --loglevel=error
done
node --test --test-reporter=spec life.test.mjs
