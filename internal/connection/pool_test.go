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

// TestNamespacesShareABudgetAlone holds that what one namespace learnt is not another
// one's, because each is a tenant, and that all together make no more calls than one.
func TestNamespacesShareABudgetAlone(t *testing.T) {
	f := newFixture(t)
	other, err := f.pool.Get(f.factory.URL, mistral.NewKey(testKey), "other")
	if err != nil {
		t.Fatal(err)
	}
	if other == f.connection || other.gate != f.connection.gate {
		t.Error("two namespaces share a connection, or have a budget each")
	}
	f.has(&stock{models: []mistral.Model{{ID: "a"}}})
	if _, err := f.caller("asks").Models(t.Context(), f.clock.Now()); err != nil {
		t.Fatal(err)
	}
	f.has(&stock{models: []mistral.Model{{ID: "b"}}})
	pass := other.Pass(turns.Who{Namespace: "other"}, func() {})
	defer pass.End()
	if models, err := pass.Models(t.Context(), f.clock.Now()); err != nil || len(models) != 1 {
		t.Errorf("the models of the other namespace are %v: %v", models, err)
	} else if _, found := models["b"]; !found {
		t.Errorf("the other namespace was told of %v", models)
	}
}

// TestPollersOfNamespacesDoNotMeet holds that each namespace's jobs are looked at,
// though one line leads to the factory.
func TestPollersOfNamespacesDoNotMeet(t *testing.T) {
	f := newFixture(t)
	f.factory.add(mistral.JobRunning, "a", "b")
	other, err := f.pool.Get(f.factory.URL, mistral.NewKey(testKey), "other")
	if err != nil {
		t.Fatal(err)
	}
	if f.connection.jobs.listing() == other.jobs.listing() {
		t.Error("two namespaces take turns as one")
	}
	who := turns.Who{Namespace: "other", Object: "job"}
	if _, err := other.WatchJob("b", who, func() {}); err != nil {
		t.Fatal(err)
	}
	defer other.UnwatchJob("b", who)
	f.watchOne("a")
	f.eventually("the other namespace's job is read", func() bool {
		job, err := other.WatchJob("b", who, func() {})
		return err == nil && job != nil
	})
}

// TestPoolIsBoundedWhateverKeysCome also lets namespaces come and go.
func TestPoolIsBoundedWhateverKeysCome(t *testing.T) {
	clock := testingclock.NewFakeClock(start)
	options := DefaultOptions()
	options.Clock = clock
	pool := NewPool(t.Context(), options)
	for i := range 1000 {
		if _, err := pool.Get("http://factory.example", mistral.NewKey(strconv.Itoa(i)), ""); err != nil {
			t.Fatal(err)
		}
		if _, err := pool.Get("http://factory.example", mistral.NewKey(testKey), strconv.Itoa(i)); err != nil {
			t.Fatal(err)
		}
		clock.Step(time.Minute)
	}
	if got, want := len(pool.connections), 2*(int(maxIdleTime/time.Minute)+2); got > want {
		t.Errorf("the pool holds %d connections, want no more than %d", got, want)
	}
	if got, want := len(pool.gates), int(maxIdleTime/time.Minute)+3; got > want {
		t.Errorf("the pool holds %d budgets, want no more than %d", got, want)
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
