package factory

import (
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// TestTenants goes through every route there is. With another tenant's IDs, one in
// the path or in the body is as good as unknown; lists are empty. A route that is
// added needs an entry here.
func TestTenants(t *testing.T) {
	s := startServer(t, nil)
	file := s.upload("intents.jsonl", intents(40))
	job := s.await(s.create(autoStart, file).ID, mistral.JobSuccess)
	model := *job.FineTunedModel

	bodies := map[string]string{
		"PATCH /v1/fine_tuning/models/{model_id}": `{"name": "mine"}`,
		"POST /v1/fine_tuning/jobs":               `{"model": "ministral-3b-latest", "training_files": ["` + file.ID + `"]}`,
		"POST /v1/classifications":                `{"model": "` + model + `", "input": "lamp"}`,
		"POST /v1/chat/classifications":           `{"model": "` + model + `", "input": {"messages": [{"role": "user", "content": "lamp"}]}}`,
	}
	type answer struct {
		status int
		part   string
	}
	others := map[string]answer{ // than 404
		"GET /v1/files":                  {200, `{"data":[],"object":"list","total":0}`},
		"GET /v1/fine_tuning/jobs":       {200, `{"data":[],"object":"list","total":0}`},
		"GET /v1/models":                 {200, `"id":"ministral-3b-latest"`},
		"POST /v1/files":                 {200, `"filename":"intents.jsonl"`}, // bob's own, though the content is alice's
		"POST /v1/fine_tuning/jobs":      {422, `"There is no such file."`},
		"POST /v1/classifications":       {400, `"Invalid model: ` + model + `"`}, // as bob called it
		"POST /v1/chat/classifications":  {400, `"Invalid model: ` + model + `"`},
		"GET /v1/files/{file_id}/signed": {403, `"The signed URL is invalid or has expired."`}, // needs no key, but a signature
		"GET /healthz":                   {200, `{"status":"ok"}`},
		"GET /readyz":                    {200, `{"status":"ok"}`},
	}
	ids := strings.NewReplacer("{file_id}", file.ID, "{job_id}", job.ID, "{model_id}", url.PathEscape(model))
	routes := s.factory.api.Routes()
	slices.Reverse(routes) // bob looks at his lists before he uploads anything
	for _, route := range routes {
		name := route.Method + " " + route.Path
		want, ok := others[name]
		if !ok {
			want = answer{404, `{"detail":"No `}
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
		status, got := s.requestAs("bob-key", route.Method, ids.Replace(route.Path), contentType, strings.NewReader(body))
		if status != want.status || !strings.Contains(got, want.part) {
			t.Errorf("%s of another tenant's: %d %s, want %d %s", name, status, got, want.status, want.part)
		}
		if got = strings.Replace(got, want.part, "", 1); strings.Contains(got, file.ID) || strings.Contains(got, job.ID) || strings.Contains(got, model) {
			t.Errorf("%s tells another tenant's IDs: %s", name, got)
		}
	}

	// Nothing of it did anything to alice's.
	after := s.await(job.ID, mistral.JobSuccess)
	card, err := s.client("alice-key").GetModel(t.Context(), model)
	if len(after.Events) != len(job.Events) || err != nil || *card.Archived || card.Name != nil {
		t.Errorf("job %+v, model %+v, %v", after, card, err)
	}
	if _, err := s.client("alice-key").GetFile(t.Context(), file.ID); err != nil {
		t.Error(err)
	}
}

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
