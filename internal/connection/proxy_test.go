package connection

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/dial"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/internal/turns"
)

// TestEnvironmentsProxyIsNotUsed holds that a proxy, which would connect to whatever
// it is told, gets no word of a user's address. It asks in a process of its own:
// net/http reads the environment once.
func TestEnvironmentsProxyIsNotUsed(t *testing.T) {
	const inChild = "ASK_FROM_BEHIND_A_PROXY"
	if os.Getenv(inChild) != "" {
		_, err := newFixture(t).get("http://169.254.169.254/latest", "key").Pass(turns.Who{}, nil).ListJobs(t.Context(), mistral.JobFilter{})
		if !errors.Is(err, dial.ErrRefused) {
			t.Errorf("got %v", err)
		}
		return
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the proxy was asked for %s", r.URL)
	}))
	defer proxy.Close()
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	command.Env = append(os.Environ(), inChild+"=1", "HTTP_PROXY="+proxy.URL, "http_proxy="+proxy.URL, "NO_PROXY=", "no_proxy=")
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}
