#!/usr/bin/env bash
# Runs the tests of test/e2e: on the cluster of KUBECONFIG with the images IMG, FACTORY_IMG and CONSUMER_IMG, or
# else on a node that is made of this machine, in namespaces of its own, of which nothing is left.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -n "${KUBECONFIG:-}" ]; then
	KUBEBUILDER_ASSETS="$(hack/envtest-assets.sh)" && export KUBEBUILDER_ASSETS
	exec go test -count=1 -v -timeout 30m ./test/e2e "$@"
fi
if [ "$(uname)" != Linux ] || [ "$(id -u)" != 0 ]; then
	echo "SKIPPED: a node is made of Linux and by root alone; KUBECONFIG names a cluster instead"
	exit 0
fi
for program in unshare ip mount sysctl; do
	command -v "$program" >/dev/null || { echo "$program is missing: install util-linux, iproute2 and procps" >&2; exit 1; }
done

KUBEBUILDER_ASSETS="$(hack/envtest-assets.sh)"
NODE_ASSETS="$(hack/node-assets.sh)"
export KUBEBUILDER_ASSETS NODE_ASSETS
scratch=$(mktemp -d)
# What the kubelet sets is of the whole machine.
settings=$(sysctl vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops 2>/dev/null || true)
leave() {
	sysctl -q -w $(tr -d ' ' <<<"$settings") || true
	# Containers were killed with the namespaces; their groups are empty.
	find /sys/fs/cgroup -depth -type d -path '*/classifier-factory-e2e*' -exec rmdir {} + 2>/dev/null || true
	rm -rf "$scratch"
}
trap leave EXIT
go test -c -o "$scratch/e2e.test" ./test/e2e

# Whatever is started ends with the first process of the namespaces: containers, mounts, network.
(cd test/e2e && unshare --mount --net --pid --uts --fork --kill-child --mount-proc --propagation private \
	bash ../../hack/e2e-node.sh "$scratch/e2e.test" -test.v -test.timeout 30m "$@")
