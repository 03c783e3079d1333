#!/usr/bin/env bash
# Runs a program as the first on a machine of its own: hack/e2e.sh gives it the namespaces.
set -euo pipefail
mount --make-rshared /
for folder in /run /var/lib /var/log /opt; do
	mount -t tmpfs tmpfs "$folder"
done
hostname e2e
# envtest has the API server's certificate tell every address of localhost: let it tell that by which pods know it, of
# the Service `kubernetes`.
printf '127.0.0.1 localhost\n10.0.0.1 localhost\n' >"$TMPDIR/hosts"
mount --bind "$TMPDIR/hosts" /etc/hosts
# There may be no dummy links: one end of a pair is the node's. The second address is that of the names.
ip link set lo up
ip link add node0 type veth peer name node1
for address in 10.1.0.1/24 10.0.0.10/32; do
	ip address add "$address" dev node0
done
ip link set node0 up
ip link set node1 up
ip route add default dev node0
sysctl -q -w net.ipv4.ip_forward=1
# Answers from pod to pod pass the bridge; what was sent to a Service must be turned back there.
sysctl -q -w net.bridge.bridge-nf-call-iptables=1
"$@"
