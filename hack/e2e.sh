#!/usr/bin/env bash
# Runs the tests of test/e2e: on the cluster of KUBECONFIG with the images IMG, FACTORY_IMG and CONSUMER_IMG, or
# else on a node that is made of this machine, in namespaces of its own, of which nothing is left.
set -euo pipefail
cd "$(dirname "$0")/.."

KUBEBUILDER_ASSETS="$(hack/envtest-assets.sh)" && export KUBEBUILDER_ASSETS
if [ -n "${KUBECONFIG:-}" ]; then
	exec go test -count=1 -v -timeout 30m ./test/e2e "$@"
fi
if [ "$(uname)" != Linux ] || [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo "SKIPPED: a node is made of Debian or Ubuntu and by root alone; KUBECONFIG names a cluster instead"
	exit 0
fi
for program in unshare ip mount sysctl; do
	command -v "$program" >/dev/null || { echo "$program is missing: install util-linux, iproute2 and procps" >&2; exit 1; }
done
NODE_ASSETS="$(hack/node-assets.sh)" && export NODE_ASSETS

scratch=$(mktemp -d)
# What the kubelet sets is of the whole machine, and so are the groups that containers run in.
settings=$(sysctl vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops \
	kernel.keys.root_maxkeys kernel.keys.root_maxbytes 2>/dev/null || true)
container_groups() { find /sys/fs/cgroup -depth -type d -path '/sys/fs/cgroup*/k8s.io*'; }
before=$(container_groups)
leave() {
	local group
	sysctl -q -w $(tr -d ' ' <<<"$settings") || true
	container_groups | while read -r group; do
		grep -qxF "$group" <<<"$before" || rmdir "$group"
	done
	rm -rf "$scratch"
}
trap leave EXIT

# All is built here, since there is no network in there.
make --no-print-directory --silent build
CGO_ENABLED=0 go build -o "$scratch" ./test/e2e/consumer ./test/e2e/pause
go test -c -o "$scratch/e2e.test" ./test/e2e
for tool in hack/tools/go.mod:kustomize hack/tools/helm/go.mod:helm; do
	go tool -modfile="${tool%:*}" -n "${tool#*:}" >/dev/null
done

# Whatever is started ends with the first process of the namespaces: containers, mounts, network.
export TMPDIR=$scratch E2E_PROGRAMS=$scratch
cp bin/manager bin/factory "$scratch"
cd test/e2e
unshare --mount --net --pid --uts --fork --kill-child --mount-proc --propagation private \
	bash ../../hack/e2e-node.sh "$scratch/e2e.test" -test.v -test.timeout 30m "$@"
