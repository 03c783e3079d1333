#!/usr/bin/env bash
# Sees to it that the tests find PostgreSQL's programs: on the PATH, or where Debian puts them,
# which this installs if it may. Without them those tests are skipped, and fail in CI.
set -euo pipefail

say() { echo "postgres: $*" >&2; }

is_there() { command -v postgres >/dev/null || compgen -G "/usr/lib/postgresql/*/bin/postgres" >/dev/null; }

install() {
	[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
	say "installing Debian's package"
	apt-get install -y --no-install-recommends postgresql >&2 || { apt-get update >&2 && apt-get install -y --no-install-recommends postgresql >&2; }
}

if is_there || install; then
	exit 0
fi
say "not installed, so that the tests on it are skipped: install your system's package, or put its programs on the PATH"
[ "${CI:-}" != true ]
