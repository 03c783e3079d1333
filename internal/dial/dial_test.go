package dial

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAddresses(t *testing.T) {
	dial := Public([]string{"minio.example", "127.0.0.1", "::1"})
	for _, test := range []struct {
		reason  string
		address string
	}{
		{"the metadata of most clouds", "169.254.169.254:80"},
		{"the metadata of most clouds as IPv6", "[::ffff:169.254.169.254]:80"},
		{"credentials of containers at Amazon", "169.254.170.2:80"},
		{"link-local", "[fe80::1]:80"},
		{"Amazon's metadata over IPv6", "[fd00:ec2::254]:80"},
		{"Amazon's credentials of pods over IPv6", "[fd00:ec2::23]:80"},
		{"metadata behind a translator of addresses", "[64:ff9b::a9fe:a9fe]:80"},
		{"metadata behind a translator of one's own", "[64:ff9b:1::a9fe:a9fe]:80"},
		{"metadata in a tunnel", "[2002:a9fe:a9fe::1]:80"},
		{"metadata in an address that only looks like IPv6", "[::a9fe:a9fe]:80"},
		{"Azure's", "168.63.129.16:80"},
		{"Alibaba's", "100.100.100.200:80"},
		{"loopback that is not named", "127.0.0.2:9"},
		{"a name of loopback that is not named", "localhost:9"},
		{"private", "10.0.0.1:443"},
		{"private IPv6", "[fd12:3456::1]:443"},
		{"this machine", "0.0.0.0:9"},
	} {
		_, err := dial(t.Context(), "tcp", test.address)
		if !errors.Is(err, ErrRefused) {
			t.Errorf("%s: got %v", test.reason, err)
		}
	}
}

// Being named opens private addresses, never those that give credentials away.
func TestAddressesOfNamedHosts(t *testing.T) {
	hosts := []string{
		"10.1.2.3", "169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200",
		"fd00:ec2::254", "fd00:ec2::23", "fd00:ec2:1::1", "fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42", "fd00:a9fe:a9fe::1",
		"::ffff:169.254.169.254", "::ffff:168.63.129.16", "64:ff9b::a9fe:a9fe", "64:ff9b::a83f:8110", "::a9fe:a9fe", "fe80::a9fe:a9fe",
	}
	dial := Public(hosts)
	for _, host := range hosts[1:] {
		_, err := dial(t.Context(), "tcp", joinPort(host))
		if !errors.Is(err, ErrRefused) {
			t.Errorf("%s: got %v", host, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // nothing is there: only whether it would be tried matters
	if _, err := dial(ctx, "tcp", "10.1.2.3:80"); errors.Is(err, ErrRefused) {
		t.Errorf("a named host at a private address: got %v", err)
	}
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	connection, err := Public([]string{"LocalHost"})(t.Context(), "tcp", strings.Replace(server.Listener.Addr().String(), "127.0.0.1", "localhost", 1))
	if err != nil {
		t.Fatalf("a named host at loopback: %v", err)
	}
	_ = connection.Close()
}

// TestNamesOfHosts holds what a name in the flags stands for.
func TestNamesOfHosts(t *testing.T) {
	for _, test := range []struct {
		name, host string
		want       bool
		reason     string
	}{
		{"minio.storage.svc", "MinIO.storage.svc.", true, "case and the root's dot do not count"},
		{"*.storage.svc", "minio.storage.svc", true, "a host below the suffix"},
		{"*.storage.svc", "storage.svc", false, "not the suffix itself"},
		{"*.storage.svc", "evilstorage.svc", false, "only whole labels"},
		{"*", "anything.example", false, "not everything: that would be an oversight"},
		{"*svc", "minio.svc", false, "only whole labels"},
		{"", "minio.svc", false, "an empty flag"},
	} {
		if got := names(test.name, test.host); got != test.want {
			t.Errorf("%q for %q: %s", test.name, test.host, test.reason)
		}
	}
}

func joinPort(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]:80"
	}
	return host + ":80"
}

// TestPrivateReachesFactories and nothing that gives credentials away.
func TestPrivateReachesFactories(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	connection, err := Private()(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = connection.Close()
	for _, address := range []string{"169.254.169.254:80", "[fe80::1]:80", "[fd00:ec2::254]:80", "[fd00:ec2::23]:80", "[fd00:ec2::254%lo]:80", "100.100.100.200:80", "0.0.0.0:80"} {
		if _, err := Private()(t.Context(), "tcp", address); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: got %v", address, err)
		}
	}
}
