package api

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"strings"
)

// ParsePublicURL reads where clients find the server.
func ParsePublicURL(text string) (*url.URL, error) {
	parsed, err := url.Parse(text)
	if err != nil || (parsed.Scheme != "https" && parsed.Scheme != "http") || parsed.Host == "" ||
		parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "" {
		return nil, errors.New("it is no address such as https://example.com/factory")
	}
	return parsed, nil
}

// publicURL is where the client found the server: as it is configured, as the proxy
// before it says, or as it was asked.
func (s *Server) publicURL(r *http.Request) *url.URL {
	if s.config.PublicURL != nil {
		return s.config.PublicURL
	}
	found := &url.URL{Scheme: "http", Host: r.Host}
	if r.TLS != nil {
		found.Scheme = "https"
	}
	if !fromNearby(r) {
		return found
	}
	if scheme := strings.ToLower(forwarded(r, "X-Forwarded-Proto", "proto")); scheme == "http" || scheme == "https" {
		found.Scheme = scheme
	}
	if host := forwarded(r, "X-Forwarded-Host", "host"); publicHost.MatchString(host) {
		found.Host = host
	}
	if prefix := forwarded(r, "X-Forwarded-Prefix", ""); strings.HasPrefix(prefix, "/") {
		found.Path = path.Clean(prefix)
	}
	return found
}

// publicHost is a name or an address, with or without a port.
var publicHost = regexp.MustCompile(`^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)

// sharedAddresses are those of carriers and of some clusters' pods.
var sharedAddresses = netip.MustParsePrefix("100.64.0.0/10")

// fromNearby reports whether a request comes from where proxies of the server are: its own
// machine or network. Anybody there can forge what proxies say, but only in what he is
// answered himself.
func fromNearby(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	address := peer.Addr().Unmap()
	return err == nil && (address.IsLoopback() || address.IsPrivate() || address.IsLinkLocalUnicast() || sharedAddresses.Contains(address))
}

// forwarded is what the outermost proxy says by a header of its own, or else by a
// parameter of the standard's (RFC 7239).
func forwarded(r *http.Request, header, parameter string) string {
	if first, _, _ := strings.Cut(r.Header.Get(header), ","); first != "" {
		return strings.TrimSpace(first)
	}
	outermost, _, _ := strings.Cut(r.Header.Get("Forwarded"), ",")
	for pair := range strings.SplitSeq(outermost, ";") {
		if name, value, _ := strings.Cut(pair, "="); parameter != "" && strings.EqualFold(strings.TrimSpace(name), parameter) {
			return strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return ""
}
