package connection

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	testingclock "k8s.io/utils/clock/testing"

	"github.com/classifier-factory/classifier-factory/internal/dial"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/internal/turns"
)

func TestConnectionsAreShared(t *testing.T) {
	const url = "http://factory.example"
	for _, test := range []struct {
		reason   string
		url, key string
		same     bool
	}{
		{"the same factory and key", url, testKey, true},
		{"an address as it is often written", url + "/", testKey, true},
		{"an address from a file that ends in a line break", url + "\n", testKey, true},
		{"a key from a file that ends in a line break", url, testKey + "\n", true},
		{"what was held against the old key is not held against the new one", url, "another", false},
		{"a key is spent at its own factory", "http://another.example", testKey, false},
		{"a path may lead to another factory", url + "/team", testKey, false},
	} {
		f := newFixture(t)
		first := f.get(url, testKey)
		if same := first == f.get(test.url, test.key); same != test.same {
			t.Errorf("%s: the same connection: %t, want %t", test.reason, same, test.same)
		}
		if same := first.ID() == f.get(test.url, test.key).ID(); same != test.same {
			t.Errorf("%s: the same ID: %t, want %t", test.reason, same, test.same)
		}
		if first.URL() != url {
			t.Errorf("the connection's address is %q", first.URL())
		}
	}
}

func TestUnusableAddressesAndKeysAreNotShown(t *testing.T) {
	for _, test := range []struct {
		reason   string
		url, key string
	}{
		{"no address", "", testKey},
		{"another scheme", "ftp://hidden.example", testKey},
		{"no host", "http://", testKey},
		{"a password in the address", "http://user:hidden@factory.example", testKey},
		{"not an address", "http://hidden example:port", testKey},
		{"a key that no header can carry", "http://factory.example", "hidden key"},
	} {
		f := newFixture(t)
		connection, err := f.pool.Get(test.url, mistral.NewKey(test.key), "")
		switch {
		case err == nil || connection != nil:
			t.Errorf("%s: got a connection", test.reason)
		case strings.Contains(err.Error(), "hidden"), strings.Contains(err.Error(), testKey):
			t.Errorf("%s: the error shows what may be secret: %s", test.reason, err)
		}
	}
}

func TestUnusedConnectionsAreForgotten(t *testing.T) {
	f := newFixture(t)
	f.factory.add(mistral.JobRunning, "a")
	f.watchOne("a")
	idle, used := f.get(f.factory.URL, "idle"), f.get(f.factory.URL, "used")
	for range 3 {
		f.pass(maxIdleTime / 2)
		f.get(f.factory.URL, "used")
	}
	f.get(f.factory.URL, "new")

	if f.get(f.factory.URL, "used") != used {
		t.Error("a connection in use was forgotten")
	}
	if f.get(f.factory.URL, testKey) != f.connection {
		t.Error("a connection that watches a job was forgotten")
	}
	if f.get(f.factory.URL, "idle") == idle {
		t.Error("an idle connection was not forgotten")
	}
}

func TestPoolIsBoundedWhateverKeysCome(t *testing.T) {
	clock := testingclock.NewFakeClock(start)
	options := DefaultOptions()
	options.Clock = clock
	pool := NewPool(t.Context(), options)
	for i := range 1000 {
		if _, err := pool.Get("http://factory.example", mistral.NewKey(strconv.Itoa(i)), ""); err != nil {
			t.Fatal(err)
		}
		clock.Step(time.Minute)
	}
	if got, want := len(pool.connections), int(maxIdleTime/time.Minute)+2; got > want {
		t.Errorf("the pool holds %d connections, want no more than %d", got, want)
	}
}

// TestPrivateHostsMustBeNamed holds that a connection's Secret reaches no more of
// the cluster than the operator's flags allow.
func TestPrivateHostsMustBeNamed(t *testing.T) {
	f := newFixtureWith(t, func(options *Options) { options.PrivateHosts = []string{"factory.example"} })
	_, err := f.caller("a").ListJobs(t.Context(), mistral.JobFilter{})
	if !errors.Is(err, dial.ErrRefused) || mistral.OutcomeUnknown(err) {
		t.Errorf("got %v", err)
	}
}

// TestMetadataAddressesAreNotAsked holds that a connection's Secret cannot send
// the operator to where its node's credentials are.
func TestMetadataAddressesAreNotAsked(t *testing.T) {
	f := newFixture(t)
	_, err := f.get("http://169.254.169.254/latest", "key").Pass(turns.Who{}, nil).ListJobs(t.Context(), mistral.JobFilter{})
	if !errors.Is(err, dial.ErrRefused) || mistral.OutcomeUnknown(err) {
		t.Errorf("got %v", err)
	}
}
