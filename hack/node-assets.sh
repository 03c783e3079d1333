#!/usr/bin/env bash
# Prints the folder that holds what makes a node of a machine, for `make e2e`: kubelet, scheduler, controller
# manager and proxy, built from source, and containerd, runc, the network plug-ins and nft from Debian's
# packages, which are unpacked there and not installed. All stays in the user's cache directory.
set -euo pipefail
name=node
# shellcheck source=hack/kubernetes.sh
. "$(dirname "$0")/kubernetes.sh"

packages="containerd runc containernetworking-plugins nftables libnftables1 libnftnl11 libmnl0 libjansson4 libxtables12 libgmp10 libedit2 libbsd0 libseccomp2"
folder="$store/node-$platform"

if ! [ -e "$folder/complete" ]; then
	lock_build
	if ! [ -e "$folder/complete" ]; then
		command -v apt-get dpkg-deb >/dev/null || { say "it needs Debian's or Ubuntu's packages: apt-get is not here"; exit 1; }
		mkdir -p "$folder/debian"
		say "fetching $packages"
		(cd "$folder/debian" && apt-get download $packages >&2 && for file in *.deb; do dpkg-deb -x "$file" . && rm "$file"; done)
		say "building it from source: about 8 minutes on two cores, once"
		for program in kubelet kube-scheduler kube-proxy kube-controller-manager; do
			[ -x "$folder/$program" ] || compile "$folder" "$program" "k8s.io/kubernetes/cmd/$program"
		done
		touch "$folder/complete"
	fi
fi
echo "$folder"
