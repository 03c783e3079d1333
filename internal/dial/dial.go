// Package dial connects to hosts that users name, and refuses the addresses that
// not everybody who may name a host must reach through the operator. It looks at
// addresses only: a name may stand for any.
package dial

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

const timeout = 5 * time.Second

// ErrRefused is an address that is not connected to.
var ErrRefused = errors.New("the address is loopback, private or reserved")

// metadataAddresses give credentials to whoever asks from inside a cloud, and are
// not in the link-local range, where the others are.
var metadataAddresses = []netip.Prefix{
	netip.MustParsePrefix("fd00:ec2::/32"),          // Amazon: of machines, of pods, and what else it has there
	netip.MustParsePrefix("fd20:ce::254/128"),       // Google
	netip.MustParsePrefix("fd00:c1::a9fe:a9fe/128"), // Oracle
	netip.MustParsePrefix("fd00:42::42/128"),        // Scaleway
	netip.MustParsePrefix("fd00:a9fe:a9fe::/48"),    // Linode
	netip.MustParsePrefix("168.63.129.16/32"),       // Azure
	netip.MustParsePrefix("100.100.100.200/32"),     // Alibaba
}

// Func is what http.Transport dials with.
type Func func(ctx context.Context, network, address string) (net.Conn, error)

// Private connects to public, private and loopback addresses: to all but
// link-local ones and those of cloud metadata.
func Private() Func {
	return (&net.Dialer{Timeout: timeout, Control: control(ssrf.New(ssrf.WithAnyPort(),
		ssrf.WithAllowedV4Prefixes(
			netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
			netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("127.0.0.0/8")),
		ssrf.WithAllowedV6Prefixes(netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("::1/128"))))}).DialContext
}

// Public connects to public addresses, and as Private does to the named hosts. One
// that begins with "*." names every host that ends in the rest.
func Public(privateHosts []string) Func {
	private := Private()
	public := &net.Dialer{Timeout: timeout, Control: control(ssrf.New(ssrf.WithAnyPort()))}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, _ := net.SplitHostPort(address)
		if slices.ContainsFunc(privateHosts, func(name string) bool { return names(name, host) }) {
			return private(ctx, network, address)
		}
		return public.DialContext(ctx, network, address)
	}
}

func names(name, host string) bool {
	name, host = strings.ToLower(name), strings.ToLower(strings.TrimSuffix(host, "."))
	if suffix, isWildcard := strings.CutPrefix(name, "*"); isWildcard {
		return strings.HasPrefix(suffix, ".") && strings.HasSuffix(host, suffix)
	}
	return name == host
}

// control decides when the address is known, right before connecting.
func control(guardian *ssrf.Guardian) func(network, address string, connection syscall.RawConn) error {
	return func(network, address string, connection syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || isMetadata(at.Addr()) || guardian.Safe(network, address, connection) != nil {
			return ErrRefused
		}
		return nil
	}
}

func isMetadata(address netip.Addr) bool {
	address = address.Unmap().WithZone("") // no prefix contains an address with a zone
	return slices.ContainsFunc(metadataAddresses, func(prefix netip.Prefix) bool { return prefix.Contains(address) })
}
