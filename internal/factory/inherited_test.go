package factory

import (
	"net/url"
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	inheritedFile = "1b6d0000-0000-4000-8000-000000000000"
	inheritedJob  = "0b6d0000-0000-4000-8000-000000000000"
)

// TestNamespacesInherit what their tenant had before there were namespaces: each sees and
// changes it as the tenant does, and nobody else. What came later they share with nobody.
func TestNamespacesInherit(t *testing.T) {
	postgrestest.SQLiteOnly(t, "its rows are those of the first version")
	tenant, a, b := party{"alice-key", ""}, party{"alice-key", "team-a"}, party{"alice-key", "team-b"}
	open := func(t *testing.T) *server {
		return startServer(t, func(c *Config) {
			openedAt(t, c.Directory, 1, jobOfVersion1, eventOfVersion1, fileOfVersion1, modelOfVersion1)
		})
	}
	status := func(t *testing.T, s *server, p party, method, path, body string) int {
		t.Helper()
		status, _ := s.requestOf(p, method, path, "application/json", body)
		return status
	}

	t.Run("read", func(t *testing.T) {
		s := open(t)
		for _, p := range []party{tenant, a, b} {
			for _, path := range []string{"/v1/files/" + inheritedFile, "/v1/files/" + inheritedFile + "/url", "/v1/fine_tuning/jobs/" + inheritedJob, "/v1/models/ft:m"} {
				if got := status(t, s, p, "GET", path, ""); got != 200 {
					t.Errorf("%v: GET %s: %d", p, path, got)
				}
			}
			for path, id := range map[string]string{"/v1/files": inheritedFile, "/v1/fine_tuning/jobs": inheritedJob, "/v1/models": "ft:m"} {
				if _, answer := s.requestOf(p, "GET", path, "", ""); !strings.Contains(answer, id) {
					t.Errorf("%v: GET %s: %s", p, path, answer)
				}
			}
		}
		for _, p := range []party{{"bob-key", ""}, {"bob-key", "team-a"}, {"bob-key", "alice"}} {
			for _, path := range []string{"/v1/files/" + inheritedFile, "/v1/fine_tuning/jobs/" + inheritedJob, "/v1/models/ft:m"} {
				if got := status(t, s, p, "GET", path, ""); got != 404 {
					t.Errorf("%v: GET %s: %d", p, path, got)
				}
			}
		}
	})

	t.Run("change", func(t *testing.T) {
		s := open(t)
		for _, step := range []struct {
			reason             string
			who                party
			method, path, body string
			status             int
		}{
			{"a namespace names a model", a, "PATCH", "/v1/fine_tuning/models/ft:m", `{"name": "of a"}`, 200},
			{"a namespace archives a model", b, "POST", "/v1/fine_tuning/models/ft:m/archive", "", 200},
			{"a finished job is cancelled as it is", a, "POST", "/v1/fine_tuning/jobs/" + inheritedJob + "/cancel", "", 200},
			{"a finished job is not started", a, "POST", "/v1/fine_tuning/jobs/" + inheritedJob + "/start", "", 409},
			{"another tenant's namespace deletes nothing", party{"bob-key", "team-a"}, "DELETE", "/v1/models/ft:m", "", 404},
			{"a namespace deletes a model", a, "DELETE", "/v1/models/ft:m", "", 200},
			{"it is gone for the others", b, "GET", "/v1/models/ft:m", "", 404},
			{"and for the tenant", tenant, "GET", "/v1/models/ft:m", "", 404},
			{"a namespace deletes a file", b, "DELETE", "/v1/files/" + inheritedFile, "", 200},
			{"it is gone for the tenant", tenant, "GET", "/v1/files/" + inheritedFile, "", 404},
		} {
			if got := status(t, s, step.who, step.method, step.path, step.body); got != step.status {
				t.Errorf("%s: %d, want %d", step.reason, got, step.status)
			}
		}
	})

	t.Run("later", func(t *testing.T) {
		s := open(t)
		ofTenant := uploadAs(t, s.clientOf(tenant), "later.jsonl", intents(20))
		ofA := uploadAs(t, s.clientOf(a), "later.jsonl", intents(20))
		for _, test := range []struct {
			reason string
			who    party
			id     string
			status int
		}{
			{"the tenant's own", tenant, ofTenant.ID, 200},
			{"the tenant's is not the namespace's", a, ofTenant.ID, 404},
			{"the namespace's own", a, ofA.ID, 200},
			{"the namespace's is not the tenant's", tenant, ofA.ID, 404},
			{"nor another namespace's", b, ofA.ID, 404},
		} {
			if got := status(t, s, test.who, "GET", "/v1/files/"+test.id, ""); got != test.status {
				t.Errorf("%s: %d, want %d", test.reason, got, test.status)
			}
		}
	})
}

// TestModelsOfInheritedJobs are inherited, too, though they are made after the upgrade;
// what one namespace changes about them, the others see at once.
func TestModelsOfInheritedJobs(t *testing.T) {
	s := startServer(t, nil)
	waiting := s.create(nil, s.upload("intents.jsonl", intents(40)))
	s.await(waiting.ID, mistral.JobValidated)
	s.close()
	markInherited(s)
	s.open()
	a, b := party{"alice-key", "team-a"}, party{"alice-key", "team-b"}
	if status, answer := s.requestOf(a, "POST", "/v1/fine_tuning/jobs/"+waiting.ID+"/start", "", ""); status != 200 {
		t.Fatalf("start: %d %s", status, answer)
	}
	model := *s.await(waiting.ID, mistral.JobSuccess).FineTunedModel
	bound := party{s.createKey(b, `{"scopes": ["classify"], "models": ["`+model+`"]}`).Key, ""}
	everybody := []party{{"alice-key", ""}, a, b, bound}
	classify := func(want int) {
		t.Helper()
		for _, p := range everybody {
			if status, answer := s.requestOf(p, "POST", "/v1/classifications", "application/json", `{"model": "`+model+`", "input": "lamp"}`); status != want {
				t.Errorf("%v classifies: %d %s, want %d", p, status, answer, want)
			}
		}
	}
	classify(200)
	path := "/v1/fine_tuning/models/" + url.PathEscape(model) + "/archive"
	if status, answer := s.requestOf(a, "POST", path, "", ""); status != 200 {
		t.Fatalf("archive: %d %s", status, answer)
	}
	classify(404)
	if status, answer := s.requestOf(b, "DELETE", path, "", ""); status != 200 {
		t.Fatalf("unarchive: %d %s", status, answer)
	}
	classify(200)
	if status, answer := s.requestOf(party{"bob-key", "team-a"}, "POST", "/v1/classifications", "application/json", `{"model": "`+model+`", "input": "lamp"}`); status != 400 {
		t.Errorf("bob's namespace: %d %s", status, answer)
	}
}

// markInherited makes everything what it would be had it been there before the upgrade.
func markInherited(s *server) {
	s.t.Helper()
	for _, table := range []string{"files", "jobs", "models"} {
		s.execute("UPDATE " + table + " SET inherited = 1")
	}
}
