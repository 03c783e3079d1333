#!/usr/bin/env bash
# Prints the folder that holds etcd, kube-apiserver and kubectl, for tests and the demo.
# The first that works: $KUBEBUILDER_ASSETS, what an earlier run left in the cache,
# setup-envtest's download, a build from source. Progress goes to standard error.
set -euo pipefail

name="control plane"
# shellcheck source=hack/kubernetes.sh
. "$(dirname "$0")/kubernetes.sh"
# setup-envtest's own layout, so that it and envtest find a build of ours as if it were a download.
built="$store/k8s/$version-$platform"
# A download of 25-60 MB/s takes seconds; a network that drops packets would hold it for ever.
download_seconds=${ENVTEST_DOWNLOAD_SECONDS:-120}

complete() {
	local binary
	for binary in etcd kube-apiserver kubectl; do
		[ -x "$1/$binary" ] || return 1
	done
}

cached() {
	local folder
	for folder in "$built" "$store"/k8s/*-"$platform"; do
		if complete "$folder"; then
			echo "$folder"
			return
		fi
	done
	return 1
}

download() {
	local folder
	command -v timeout >/dev/null || return 1
	# A quick look first: where nothing answers within seconds, no download will.
	timeout 10 go tool -modfile="$tools/go.mod" setup-envtest list --bin-dir "$store" "${version%.*}.x" >/dev/null 2>&1 || return 1
	folder=$(timeout "$download_seconds" go tool -modfile="$tools/go.mod" setup-envtest use --bin-dir "$store" -p path "${version%.*}.x" 2>/dev/null) || return 1
	complete "$folder" && echo "$folder"
}

build() {
	lock_build
	if complete "$built"; then
		echo "$built"
		return
	fi
	mkdir -p "$store/k8s"
	# Not local: the trap runs when the function has returned.
	temporary=$(mktemp -d "$store/k8s/.build-XXXXXX")
	trap 'rm -rf "$temporary"' EXIT
	say "building etcd, kube-apiserver and kubectl $version from source: about 10 minutes on two cores, once"
	compile "$temporary" etcd go.etcd.io/etcd/server/v3
	compile "$temporary" kubectl k8s.io/kubernetes/cmd/kubectl
	compile "$temporary" kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver
	# Named only when whole: a build that was cut short is never taken for a finished one.
	rm -rf "$built"
	mv "$temporary" "$built"
	echo "$built"
}

if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
	say "using KUBEBUILDER_ASSETS=$KUBEBUILDER_ASSETS"
	echo "$KUBEBUILDER_ASSETS"
elif folder=$(cached); then
	say "using $folder"
	echo "$folder"
elif say "trying to download $version" && folder=$(download); then
	say "downloaded to $folder"
	echo "$folder"
else
	say "no download to be had here"
	build
fi
