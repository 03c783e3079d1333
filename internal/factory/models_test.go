package factory

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// wantLimits are what the factory takes.
var wantLimits = mistral.ClassifierLimits{Targets: 20, LabelsPerTarget: 4096, Labels: 10_000, Samples: 10_000_000, FileBytes: 512 << 20}

func TestModelLife(t *testing.T) {
	s := startServer(t, nil)
	id := s.train("intents.jsonl", intents(40))
	client := s.client("alice-key")
	classify := func() error {
		_, err := client.Classify(t.Context(), mistral.ClassifyRequest{Model: id, Input: []string{"lamp"}})
		return err
	}

	models, err := client.ListModels(t.Context())
	if err != nil || len(models.Data) != 2 || models.Data[0].ID != DefaultBaseModel || models.Data[1].ID != id {
		t.Errorf("ListModels() = %+v, %v", models, err)
	}
	if limits := models.Data[0].ClassifierLimits; limits == nil || *limits != wantLimits || models.Data[1].ClassifierLimits != nil {
		t.Errorf("the base model is said to have the limits %+v, the other one %+v", limits, models.Data[1].ClassifierLimits)
	}
	if base, err := client.GetModel(t.Context(), DefaultBaseModel); err != nil || *base.ClassifierLimits != wantLimits {
		t.Errorf("GetModel() = %+v, %v", base, err)
	}
	card, err := client.GetModel(t.Context(), id)
	if err != nil || card.Type != mistral.ModelTypeFineTuned || card.Root != DefaultBaseModel || card.Job == "" ||
		card.Capabilities != (mistral.ModelCapabilities{Classification: true}) {
		t.Errorf("GetModel() = %+v, %v", card, err)
	}

	name, description := "intents", "what users want"
	updated, err := client.UpdateModel(t.Context(), id, mistral.UpdateModelRequest{Name: &name})
	if err != nil || *updated.Name != name || len(updated.ClassifierTargets) != 1 || updated.ModelType != "classifier" || updated.Capabilities.CompletionChat {
		t.Errorf("UpdateModel() = %+v, %v", updated, err)
	}
	updated, err = client.UpdateModel(t.Context(), id, mistral.UpdateModelRequest{Description: &description})
	if err != nil || *updated.Name != name || *updated.Description != description {
		t.Errorf("UpdateModel() = %+v, %v; the name was not to change", updated, err)
	}

	if archived, err := client.ArchiveModel(t.Context(), id); err != nil || !archived.Archived {
		t.Errorf("ArchiveModel() = %+v, %v", archived, err)
	}
	if err := classify(); !mistral.IsNotFound(err) {
		t.Errorf("an archived model classifies: %v", err)
	}
	if restored, err := client.UnarchiveModel(t.Context(), id); err != nil || restored.Archived {
		t.Errorf("UnarchiveModel() = %+v, %v", restored, err)
	}
	if err := classify(); err != nil {
		t.Errorf("an unarchived model does not classify: %v", err)
	}

	if err := client.DeleteModel(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if err := classify(); !mistral.IsInvalid(err) {
		t.Errorf("a deleted model classifies: %v", err)
	}
	if left := blobNames(t, s); len(left) != 1 {
		t.Errorf("%d blobs; want the training file alone", len(left))
	}
}

func TestListModels(t *testing.T) {
	s := startServer(t, nil)
	first, second := s.train("first.jsonl", intents(20)), s.train("second.jsonl", intents(22))
	all := DefaultBaseModel + " " + second + " " + first
	for _, test := range []struct{ reason, query, want string }{
		{"base models, then the newest first", "", all},
		{"the protocol has no pages of them", "?page=1&page_size=1", all},
		{"one of them", "?model=" + url.QueryEscape(first), first},
		{"a base model", "?model=" + DefaultBaseModel, DefaultBaseModel},
		{"none of them", "?model=unknown", ""},
		{"a part of an ID is none", "?model=ministral", ""},
		{"their provider, who is their owner", "?provider=classifier-factory", all},
		{"another provider", "?provider=mistralai", ""},
		{"no provider in particular", "?provider=", all},
		{"one of them, by provider", "?provider=classifier-factory&model=" + url.QueryEscape(first), first},
		{"one of them, by another provider", "?provider=mistralai&model=" + url.QueryEscape(first), ""},
	} {
		status, body := s.request("GET", "/v1/models"+test.query, "")
		var list mistral.ModelList
		decode(t, body, &list)
		var ids []string
		for _, model := range list.Data {
			ids = append(ids, model.ID)
		}
		if got := strings.Join(ids, " "); status != 200 || got != test.want {
			t.Errorf("%s: %d %s, want %s", test.reason, status, got, test.want)
		}
	}
}

func TestEqualJobsMakeEqualModels(t *testing.T) {
	s := startServer(t, nil)
	file := s.upload("intents.jsonl", intents(40))
	first := *s.await(s.create(autoStart, file).ID, mistral.JobSuccess).FineTunedModel
	second := *s.await(s.create(autoStart, file).ID, mistral.JobSuccess).FineTunedModel
	if first == second || len(blobNames(t, s)) != 2 {
		t.Errorf("models %s and %s, %d blobs; want two models of the same bytes", first, second, len(blobNames(t, s)))
	}
	client := s.client("alice-key")
	if err := client.DeleteModel(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Classify(t.Context(), mistral.ClassifyRequest{Model: second, Input: []string{"lamp"}}); err != nil {
		t.Errorf("deleting one model took the other's bytes: %v", err)
	}
}

func TestModelIDsArriveEncoded(t *testing.T) {
	s := startServer(t, nil)
	id := s.train("intents.jsonl", intents(20))
	if status, body := s.request("GET", "/v1/models/"+strings.ReplaceAll(url.PathEscape(id), ":", "%3A"), ""); status != 200 || !strings.Contains(body, id) {
		t.Errorf("%d %s", status, body)
	}
}

func TestBaseModel(t *testing.T) {
	s := startServer(t, nil)
	status, body := s.request("GET", "/v1/models/ministral-3b-latest", "")
	if status != 200 || !strings.Contains(body, `"type":"base"`) || !strings.Contains(body, "No language model runs") {
		t.Errorf("%d %s; the card must say which engine runs", status, body)
	}
	if status, body := s.request("DELETE", "/v1/models/ministral-3b-latest", ""); status != http.StatusForbidden {
		t.Errorf("deleted: %d %s", status, body)
	}
	if status, body := s.request("PATCH", "/v1/fine_tuning/models/unknown", `{"name": 1}`); status != 422 || !strings.Contains(body, `"loc":["body","name"]`) {
		t.Errorf("name of another type: %d %s", status, body)
	}
}
