package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rs/cors"
)

// preflightAge is how long a browser need not ask again: Chromium's most is two hours.
const preflightAge = time.Hour

// crossOrigin lets scripts of other origins' pages use the server. They need a key as
// everybody does: browsers add none by themselves, so that any origin may be let in.
func (s *Server) crossOrigin(next http.Handler) http.Handler {
	if len(s.config.CORSOrigins) == 0 {
		return next
	}
	return cors.New(cors.Options{
		AllowedOrigins: s.config.CORSOrigins,
		AllowedMethods: []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete},
		AllowedHeaders: []string{"*"}, // SDKs have several of their own
		ExposedHeaders: []string{requestIDHeader, "Retry-After", "ETag"},
		MaxAge:         int(preflightAge.Seconds()),
	}).Handler(next)
}

// ParseOrigins reads a list of origins, or * for all.
func ParseOrigins(list string) ([]string, error) {
	var origins []string
	for origin := range strings.SplitSeq(list, ",") {
		origin = strings.TrimSpace(origin)
		parsed, err := url.Parse(origin)
		if origin != "*" && (err != nil || parsed.Host == "" || origin != parsed.Scheme+"://"+parsed.Host || strings.Contains(origin, "*")) {
			return nil, fmt.Errorf("%q is no origin such as https://app.example.com or http://localhost:3000, without a path or a slash at its end", origin)
		}
		origins = append(origins, origin)
	}
	return origins, nil
}
