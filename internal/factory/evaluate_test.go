package factory

import (
	"fmt"
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/evaluation"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

func TestEvaluation(t *testing.T) {
	s := startServer(t, nil)
	// Three of four are what the model cannot but answer; the last is labelled wrongly.
	check := `{"text": "the lamp in the room", "labels": {"intent": "light"}}
{"text": "switch on the lamp", "labels": {"intent": "light"}}
{"text": "play a song", "labels": {"intent": "music"}}
{"text": "play song number one", "labels": {"intent": "light"}}
`
	validation := s.upload("check.jsonl", check)
	job := s.create(func(r *mistral.CreateJobRequest) {
		r.AutoStart = true
		r.ValidationFiles = []string{validation.ID}
	}, s.upload("intents.jsonl", intents(60)))
	done := s.await(job.ID, mistral.JobSuccess)
	if done.Evaluation == nil || len(done.Evaluation.Targets) != 1 {
		t.Fatalf("evaluation %+v", done.Evaluation)
	}
	target := done.Evaluation.Targets[0]
	if target.Name != "intent" || target.Samples != 4 || target.Metrics[evaluation.Accuracy] != .75 || target.Metrics[evaluation.CohenKappa] != .5 {
		t.Errorf("evaluation %+v", target)
	}
	if got := fmt.Sprint(target.ConfusionMatrix); got != "[[2 1] [0 1]]" {
		t.Errorf("confusion matrix %s of light and music", got)
	}
	if light := target.Labels[0]; light.Name != "light" || light.Precision != 1 || light.Support != 3 {
		t.Errorf("label %+v", light)
	}

	s.close()
	s.open()
	if again := s.await(job.ID, mistral.JobSuccess); fmt.Sprint(again.Evaluation) != fmt.Sprint(done.Evaluation) {
		t.Errorf("evaluation after a restart: %+v", again.Evaluation)
	}
	if _, body := s.request("GET", "/v1/fine_tuning/jobs", ""); strings.Contains(body, "evaluation") {
		t.Errorf("a list of jobs is to be short: %s", body)
	}
}

func TestNoEvaluationOnWhatWasTrainedOn(t *testing.T) {
	s := startServer(t, nil)
	training := s.upload("intents.jsonl", intents(60))
	few := s.upload("few.jsonl", intents(40))
	if done := s.await(s.create(autoStart, few).ID, mistral.JobSuccess); done.Evaluation != nil {
		t.Errorf("evaluation on too few rows to hold any out: %+v", done.Evaluation)
	}
	done := s.await(s.create(autoStart, training).ID, mistral.JobSuccess)
	if done.Evaluation == nil || done.Evaluation.Targets[0].Samples != 6 {
		t.Errorf("evaluation on a tenth of 60 rows: %+v", done.Evaluation)
	}
	same := s.upload("same.jsonl", intents(60))
	status, body := s.request("POST", "/v1/fine_tuning/jobs", `{"model": "ministral-3b-latest", "hyperparameters": {},
		"training_files": ["`+training.ID+`"], "validation_files": ["`+same.ID+`"]}`)
	if status != 422 || !strings.Contains(body, "same content as a training file") {
		t.Errorf("validation file that is the training file under another name: %d %s", status, body)
	}
}

// TestEvaluationSkipsWhatIsNotLabelled: a row that does not say anything of a target is no mistake.
func TestEvaluationSkipsWhatIsNotLabelled(t *testing.T) {
	rows := strings.Repeat(`{"text": "lamp", "labels": {"intent": "light", "mood": "good"}}`+"\n"+`{"text": "song", "labels": {"intent": "music", "mood": "bad"}}`+"\n", 20)
	s := startServer(t, nil)
	validation := s.upload("check.jsonl", `{"text": "lamp", "labels": {"intent": "light"}}`+"\n")
	done := s.await(s.create(func(r *mistral.CreateJobRequest) {
		r.AutoStart = true
		r.ValidationFiles = []string{validation.ID}
	}, s.upload("rows.jsonl", rows)).ID, mistral.JobSuccess)
	intent, mood := done.Evaluation.Targets[0], done.Evaluation.Targets[1]
	if intent.Samples != 1 || mood.Samples != 0 || len(mood.Metrics) != 0 {
		t.Errorf("evaluations %+v", done.Evaluation)
	}
}

func TestEvaluationOfSeveralLabels(t *testing.T) {
	s := startServer(t, nil)
	validation := s.upload("check.jsonl", tickets(40)+tickets(2)) // the content is another
	done := s.await(s.create(func(r *mistral.CreateJobRequest) {
		r.AutoStart = true
		r.ValidationFiles = []string{validation.ID}
	}, s.upload("tickets.jsonl", tickets(200))).ID, mistral.JobSuccess)
	byName := map[string]mistral.TargetEvaluation{}
	for _, target := range done.Evaluation.Targets {
		byName[target.Name] = target
	}
	tags := byName["tags"]
	if tags.Samples != 42 || tags.Metrics[evaluation.F1Micro] != 1 || tags.Metrics[evaluation.Accuracy] != 1 || tags.ConfusionMatrix != nil {
		t.Errorf("evaluation of tags %+v", tags)
	}
	if _, ok := tags.Metrics[evaluation.CohenKappa]; ok || len(tags.Labels) != 3 || tags.Labels[0].Threshold == nil || tags.Labels[0].Support != 21 {
		t.Errorf("labels of tags %+v", tags)
	}
	if topic := byName["topic"]; topic.Metrics[evaluation.Accuracy] != 1 || topic.Labels[0].Threshold != nil {
		t.Errorf("evaluation of topic %+v", topic)
	}
}

// TestLearningCurve says whether more rows would help, if enough are measured to tell.
func TestLearningCurve(t *testing.T) {
	s := startServer(t, nil)
	training := s.upload("intents.jsonl", intents(600))
	done := s.await(s.create(autoStart, training).ID, mistral.JobSuccess)
	target := done.Evaluation.Targets[0]
	if curve := target.LearningCurve; len(curve) != 3 || curve[2].Rows != 540 || curve[0].Rows > 137 || curve[2].F1Micro != 1 {
		t.Errorf("%+v; want a quarter, half and all of what was not kept aside", curve)
	}
	if target.Outlook == "" {
		t.Error("the curve is not explained")
	}
	fast := "fast"
	done = s.await(s.create(func(r *mistral.CreateJobRequest) {
		r.AutoStart, r.Hyperparameters.Quality = true, &fast
	}, training).ID, mistral.JobSuccess)
	if target := done.Evaluation.Targets[0]; target.LearningCurve != nil || target.Outlook != "" {
		t.Errorf("%+v, %q; a training that is to be fast does not wait for it", target.LearningCurve, target.Outlook)
	}
}
