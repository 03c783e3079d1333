#!/usr/bin/env bash
# Prints the folder that holds what makes a node of a machine, for `make e2e`: kubelet, scheduler, controller
# manager and proxy, built from source, and containerd, runc, the network plug-ins and nft from Debian's
# packages, which are unpacked there and not installed. All stays in the user's cache directory.
set -euo pipefail
name=node
# shellcheck source=hack/kubernetes.sh
. "$(dirname "$0")/kubernetes.sh"

packages="containerd runc containernetworking-plugins nftables libnftables1 libnftnl11 libmnl0 libjansson4 libxtables12 libgmp10 libedit2 libbsd0 libseccomp2"
programs="kubelet kube-scheduler kube-proxy kube-controller-manager"
folder="$store/node-$platform"

# Both are named only when whole.
fetch() {
	temporary=$(mktemp -d "$store/.packages-XXXXXX")
	trap 'rm -rf "$temporary"' EXIT
	say "fetching $packages"
	(
		cd "$temporary"
		# shellcheck disable=SC2086 # several packages
		apt-get download $packages >&2 || { apt-get update >&2 && apt-get download $packages >&2; }
		for file in *.deb; do dpkg-deb -x "$file" . && rm "$file"; done
	)
	mv "$temporary" "$folder/debian"
}

build() {
	say "building $programs $version from source: about 8 minutes on two cores, once"
	for program in $programs; do
		[ -x "$folder/$program" ] || compile "$folder" "$program" "k8s.io/kubernetes/cmd/$program"
	done
}

complete() {
	local program
	for program in debian $programs; do
		[ -e "$folder/$program" ] || return 1
	done
}

if ! complete; then
	lock_build
	mkdir -p "$folder"
	[ -e "$folder/debian" ] || fetch
	complete || build
fi
echo "$folder"
