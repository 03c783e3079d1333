#!/usr/bin/env bash
# Prints where promtool is, which tests the alerts: on the PATH, or out of Debian's package, which is fetched and not
# installed, as it would start a Prometheus.
set -euo pipefail

say() { echo "promtool: $*" >&2; }

if command -v promtool; then
	exit 0
fi
cache="${XDG_CACHE_HOME:-$HOME/.cache}/classifier-factory/promtool"
if [ ! -x "$cache/usr/bin/promtool" ]; then
	if ! command -v apt-get >/dev/null; then
		say "not on the PATH: install the package of your system that has it, often prometheus"
		exit 1
	fi
	say "fetching Debian's package"
	folder=$(mktemp -d)
	trap 'rm -rf "$folder"' EXIT
	(cd "$folder" && { apt-get download prometheus >&2 || { apt-get update >&2 && apt-get download prometheus >&2; }; })
	mkdir -p "$cache"
	dpkg-deb -x "$folder"/prometheus_*.deb "$cache"
fi
echo "$cache/usr/bin/promtool"
