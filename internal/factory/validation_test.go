package factory

import (
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

func TestFailedValidationSaysWhere(t *testing.T) {
	const (
		light = `{"text": "lamp", "labels": {"intent": "light"}}` + "\n"
		music = `{"text": "song", "labels": {"intent": "music"}}` + "\n"
		chat  = `{"messages": [{"role": "user", "content": "lamp"}], "labels": {"intent": "light"}}` + "\n"
		tags  = `{"text": "secret words", "labels": {"intent": ["light", "music"]}}` + "\n"
	)
	intent := func(loss string, labels ...string) []mistral.ClassifierTarget {
		return []mistral.ClassifierTarget{{Name: "intent", Labels: labels, Weight: 1, LossFunction: loss}}
	}
	s := startServer(t, nil)
	for _, test := range []struct {
		reason     string
		content    string
		validation string
		targets    []mistral.ClassifierTarget
		want       []string
	}{
		{"row that is no JSON", light + music + `{"text": "secret words"` + "\n", "", nil, []string{"data.jsonl, line 3", "1 of 3 rows"}},
		{"row without labels", `{"text": "secret words"}` + "\n" + light + music, "", nil, []string{"data.jsonl, line 1", "MissingLabels"}},
		{"one label teaches nothing", light + light, "", nil, []string{"TooFewLabels"}},
		{"texts and conversations", light + music + chat, "", nil, []string{"line 3", "MixedInput"}},
		{"strings and lists", light + music + tags, "", nil, []string{"line 3", "MixedTarget"}},
		{"label that was not declared", light + music, "", intent("", "light", "sound"), []string{"line 2", "UnknownLabel"}},
		{"target that was not declared", light, "", []mistral.ClassifierTarget{{Name: "mood", Labels: []string{"light", "dark"}, Weight: 1}}, []string{"line 1", "UnknownTarget"}},
		{"list for a target of one label", tags + tags, "", intent("single_class", "light", "music"), []string{"line 1", "SeveralLabels"}},
		{"declared label without a row", light + music, "", intent("", "light", "music", "heating"), []string{`no row has the label "heating" of the target "intent"`}},
		{"validation row with an unknown label", light + music, strings.ReplaceAll(light, "light", "dark"), nil, []string{"check.jsonl, line 1", "UnknownLabel"}},
		{"validation rows of the other kind", light + music, chat, nil, []string{"check.jsonl, line 1", "MixedInput"}},
	} {
		training := s.upload("data.jsonl", test.content)
		job := s.create(func(r *mistral.CreateJobRequest) {
			r.ClassifierTargets = test.targets
			if test.validation != "" {
				r.ValidationFiles = []string{s.upload("check.jsonl", test.validation).ID}
			}
		}, training)
		failed := s.await(job.ID, mistral.JobFailedValidation)
		story := strings.ReplaceAll(events(failed), `\"`, `"`)
		for _, want := range test.want {
			if !strings.Contains(story, want) {
				t.Errorf("%s: %s, want %q", test.reason, story, want)
			}
		}
		if strings.Contains(story, "secret") {
			t.Errorf("%s: content is shown: %s", test.reason, story)
		}
	}
}

func TestInvalidRowsThatMaySkip(t *testing.T) {
	s := startServer(t, nil)
	file := s.upload("data.jsonl", intents(30)+"broken\n")
	for _, test := range []struct {
		reason   string
		fraction float64
		want     mistral.JobStatus
	}{
		{"more than allowed", 0.01, mistral.JobFailedValidation},
		{"fewer than allowed", 0.05, mistral.JobSuccess},
	} {
		job := s.create(func(r *mistral.CreateJobRequest) {
			r.AutoStart = true
			r.InvalidSampleSkipPercentage = test.fraction
		}, file)
		t.Log(test.reason)
		s.await(job.ID, test.want)
	}
}

// TestNullIsNoLabel holds that rows may say by null that they are not labelled for a target.
func TestNullIsNoLabel(t *testing.T) {
	s := startServer(t, nil)
	rows := strings.ReplaceAll(intents(30), `}}`, `,"mood":null}}`) + `{"text":"great","labels":{"intent":null,"mood":"good"}}` + "\n" + `{"text":"awful","labels":{"mood":"bad"}}` + "\n"
	job := s.create(func(*mistral.CreateJobRequest) {}, s.upload("data.jsonl", rows))
	if targets := s.await(job.ID, mistral.JobValidated).ClassifierTargets; len(targets) != 2 || len(targets[1].Labels) != 2 {
		t.Errorf("targets %+v; want intent and mood with two labels", targets)
	}
}

func TestDeclaredTargets(t *testing.T) {
	s := startServer(t, nil)
	job := s.create(func(r *mistral.CreateJobRequest) {
		r.ClassifierTargets = []mistral.ClassifierTarget{{Name: "intent", Labels: []string{"music", "light"}, Weight: 2}}
	}, s.upload("data.jsonl", intents(30)))
	targets := s.await(job.ID, mistral.JobValidated).ClassifierTargets
	if len(targets) != 1 || strings.Join(targets[0].Labels, " ") != "music light" || targets[0].Weight != 2 || targets[0].LossFunction != mistral.LossSingleClass {
		t.Errorf("targets %+v; want the declared order and weight, and a loss function", targets)
	}
}
