package factory

import (
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// TestTenants goes through every route there is. With another tenant's IDs, one in
// the path or in the body is as good as unknown; lists are empty. A route that is
// added needs an entry here.
func TestTenants(t *testing.T) {
	const key = "alice-key" // which acts for namespaces
	for _, test := range []struct {
		reason       string
		owner, other party
	}{
		{"another key's tenant", party{key, ""}, party{"bob-key", ""}},
		{"another key's namespace of the same name", party{key, "team-a"}, party{"bob-key", "team-a"}},
		{"two namespaces that one key acts for", party{key, "team-a"}, party{key, "team-b"}},
		{"a namespace whose name begins with the other's", party{key, "team-a"}, party{key, "team"}},
		{"a namespace, and the tenant of its key", party{key, ""}, party{key, "team-b"}},
		{"the tenant of a key, and a namespace", party{key, "team-a"}, party{key, ""}},
	} {
		t.Run(test.reason, func(t *testing.T) { testTenants(t, test.owner, test.other) })
	}
}

func testTenants(t *testing.T, owner, other party) {
	s := startServer(t, nil)
	client := s.clientOf(owner)
	file := uploadAs(t, client, "intents.jsonl", intents(40))
	job := s.trainAs(client, file)
	model := *job.FineTunedModel
	key := s.createKey(owner, `{"name": "app", "scopes": ["classify"]}`)

	bodies := map[string]string{
		"PATCH /v1/fine_tuning/models/{model_id}": `{"name": "mine"}`,
		"POST /v1/fine_tuning/jobs":               `{"model": "ministral-3b-latest", "training_files": ["` + file.ID + `"]}`,
		"POST /v1/classifications":                `{"model": "` + model + `", "input": "lamp"}`,
		"POST /v1/chat/classifications":           `{"model": "` + model + `", "input": {"messages": [{"role": "user", "content": "lamp"}]}}`,
		"POST /v1/keys":                           `{"name": "app", "scopes": ["classify"]}`,
	}
	type answer struct {
		status int
		part   string
	}
	others := map[string]answer{ // than 404
		"GET /v1/files":                  {200, `{"data":[],"object":"list","total":0}`},
		"GET /v1/fine_tuning/jobs":       {200, `{"data":[],"object":"list","total":0}`},
		"GET /v1/models":                 {200, `"id":"ministral-3b-latest"`},
		"GET /v1/keys":                   {200, `{"object":"list","data":[],"total":0}`},
		"POST /v1/keys":                  {200, `"name":"app"`},
		"POST /v1/files":                 {200, `"filename":"intents.jsonl"`}, // the other's own, though the content is the same
		"POST /v1/fine_tuning/jobs":      {422, `"There is no such file."`},
		"POST /v1/classifications":       {400, `"Invalid model: ` + model + `"`}, // as bob called it
		"POST /v1/chat/classifications":  {400, `"Invalid model: ` + model + `"`},
		"GET /v1/files/{file_id}/signed": {403, `"The signed URL is invalid or has expired."`}, // needs no key, but a signature
		"GET /healthz":                   {200, `{"status":"ok"}`},
		"GET /readyz":                    {200, `{"status":"ok"}`},
	}
	isAbove := other.key == owner.key && other.namespace == "" // and has a say in the owner's keys
	ids := strings.NewReplacer("{file_id}", file.ID, "{job_id}", job.ID, "{model_id}", url.PathEscape(model), "{key_id}", key.ID)
	routes := s.factory.api.Routes()
	slices.Reverse(routes) // the other looks at its lists before it uploads anything
	for _, route := range routes {
		name := route.Method + " " + route.Path
		want, ok := others[name]
		if !ok {
			want = answer{404, `{"detail":"No `}
		}
		if isAbove && strings.HasPrefix(route.Path, "/v1/keys") {
			continue
		}
		if !strings.Contains(route.Path, "{") && bodies[name] == "" && !ok {
			t.Errorf("%s: no ID of another tenant to try it with", name)
		}
		contentType, body := "application/json", bodies[name]
		if name == "POST /v1/files" {
			var reader strings.Builder
			head, form := form(t, "intents.jsonl", intents(40))
			contentType = head
			_, _ = io.Copy(&reader, form)
			body = reader.String()
		}
		status, got := s.requestOf(other, route.Method, ids.Replace(route.Path), contentType, body)
		if status != want.status || !strings.Contains(got, want.part) {
			t.Errorf("%s of another tenant's: %d %s, want %d %s", name, status, got, want.status, want.part)
		}
		if told := strings.Replace(got, want.part, "", 1); strings.Contains(told, file.ID) || strings.Contains(told, job.ID) || strings.Contains(told, model) || strings.Contains(told, key.ID) {
			t.Errorf("%s tells another tenant's IDs: %s", name, got)
		}
		if unknown := ids.Replace(unknownIDs.Replace(route.Path)); want.status == 404 && unknown != ids.Replace(route.Path) {
			if missing, said := s.requestOf(other, route.Method, unknown, contentType, body); missing != status || said != got {
				t.Errorf("%s tells another tenant's (%d %s) from a missing one (%d %s)", name, status, got, missing, said)
			}
		}
	}

	// Nothing of it did anything to the owner's.
	after, err := client.GetJob(t.Context(), job.ID)
	if err != nil || len(after.Events) != len(job.Events) {
		t.Errorf("job %+v, %v", after, err)
	}
	card, err := client.GetModel(t.Context(), model)
	if err != nil || *card.Archived || card.Name != nil {
		t.Errorf("model %+v, %v", card, err)
	}
	if _, err := client.GetFile(t.Context(), file.ID); err != nil {
		t.Error(err)
	}
	if status, body := s.requestOf(party{key.Key, ""}, "GET", "/v1/models/"+url.PathEscape(model), "", ""); status != 200 {
		t.Errorf("the owner's key: %d %s", status, body)
	}
}

// unknownIDs are of nobody's.
var unknownIDs = strings.NewReplacer("{file_id}", "none", "{job_id}", "none", "{model_id}", "none", "{key_id}", "none")

// TestEveryRouteAsksForAKey but those that are known not to.
func TestEveryRouteAsksForAKey(t *testing.T) {
	open := []string{"GET /healthz", "GET /readyz", "GET /v1/files/{file_id}/signed"}
	s := startServer(t, nil)
	for _, route := range s.factory.api.Routes() {
		status, body := s.requestAs("", route.Method, route.Path, "application/json", nil)
		if asked := status == 401; asked == slices.Contains(open, route.Method+" "+route.Path) {
			t.Errorf("%s %s without a key: %d %s", route.Method, route.Path, status, body)
		}
	}
}
