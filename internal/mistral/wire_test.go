package mistral

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

// Both generations of the official SDK refuse an answer without these keys, or
// with a null in them.
func TestRequiredFieldsAreWritten(t *testing.T) {
	target := ClassifierTarget{LossFunction: LossSingleClass}
	tests := []struct {
		message  any
		required string
		nonNull  string // may be absent, must not be null
	}{
		{
			message:  Job{},
			required: "id auto_start model status created_at modified_at training_files job_type hyperparameters",
			nonNull:  "object hyperparameters.learning_rate",
		},
		{
			message: DetailedJob{
				ClassifierTargets: []ClassifierTarget{target},
				Events:            []Event{{}},
				Checkpoints:       []Checkpoint{{}},
			},
			required: "id auto_start model status created_at modified_at training_files job_type hyperparameters " +
				"classifier_targets.0.name classifier_targets.0.labels classifier_targets.0.weight classifier_targets.0.loss_function " +
				"events.0.name events.0.created_at checkpoints.0.metrics checkpoints.0.step_number checkpoints.0.created_at",
			nonNull: "object hyperparameters.learning_rate",
		},
		{message: DetailedJob{}, required: "training_files classifier_targets", nonNull: "events checkpoints"},
		{message: Job{Integrations: []Integration{{}}}, required: "integrations.0.type integrations.0.project"},
		{message: LegacyJobMetadata{}, required: "details", nonNull: "deprecated object"},
		{message: JobList{}, required: "total", nonNull: "data object"},
		{message: File{}, required: "id object bytes created_at filename purpose sample_type source"},
		{message: File{Deleted: new(false)}, required: "deleted"},
		{message: FileList{}, required: "data object"},
		{message: DeletedFile{}, required: "id object deleted"},
		{
			message:  Model{Type: ModelTypeFineTuned, Job: "j1", Root: "r"},
			required: "id capabilities type job root",
			nonNull: "object created owned_by max_context_length aliases archived capabilities.completion_chat capabilities.completion_fim " +
				"capabilities.function_calling capabilities.fine_tuning capabilities.vision capabilities.classification",
		},
		{message: ModelList{}, nonNull: "object data"},
		{message: DeletedModel{}, required: "id", nonNull: "object deleted"},
		{message: ArchivedModel{}, required: "id", nonNull: "object archived"},
		{
			message: ClassifierModel{ClassifierTargets: []ClassifierTarget{target}},
			required: "id created owned_by workspace_id root root_version archived capabilities model_type job " +
				"classifier_targets.0.name classifier_targets.0.labels classifier_targets.0.weight classifier_targets.0.loss_function " +
				"capabilities.completion_chat", // an SDK takes it for true when it is absent
			nonNull: "object max_context_length aliases capabilities.classification",
		},
		{message: ClassifierModel{}, required: "classifier_targets"},
		{message: ClassifyResponse{}, required: "id model results"},
		{message: ClassifyResponse{Results: []map[string]TargetScores{{"t": {}}}}, required: "results.0.t.scores"},
	}
	for _, test := range tests {
		message := reflect.TypeOf(test.message).Name()
		encoded, err := json.Marshal(test.message)
		if err != nil {
			t.Fatal(err)
		}
		var decoded any
		if err := json.Unmarshal(encoded, &decoded); err != nil {
			t.Fatal(err)
		}
		for _, path := range strings.Fields(test.required) {
			if value, present := lookUp(decoded, path); !present || value == nil {
				t.Errorf("%s: %s is missing or null in %s", message, path, encoded)
			}
		}
		for _, path := range strings.Fields(test.nonNull) {
			if value, present := lookUp(decoded, path); present && value == nil {
				t.Errorf("%s: %s is null in %s", message, path, encoded)
			}
		}
	}
}

// lookUp follows a path of keys and the index 0.
func lookUp(value any, path string) (any, bool) {
	for key := range strings.SplitSeq(path, ".") {
		switch node := value.(type) {
		case []any:
			if key != "0" || len(node) == 0 {
				return nil, false
			}
			value = node[0]
		case map[string]any:
			next, present := node[key]
			if !present {
				return nil, false
			}
			value = next
		default:
			return nil, false
		}
	}
	return value, true
}

func TestOptionalFieldsMayBeNullOrUnknown(t *testing.T) {
	const document = `{
		"id":"j1","object":"job","job_type":"classifier","model":"ministral-3b-latest","status":"PAUSED_BY_MOON","auto_start":null,
		"created_at":1767225600,"modified_at":1767225601,"training_files":["f1"],"validation_files":null,
		"hyperparameters":{"training_steps":null,"learning_rate":0.00004,"epochs":47.74,"fim_ratio":0.9},
		"fine_tuned_model":null,"suffix":null,"integrations":[{"project":"p","name":null}],"trained_tokens":null,
		"metadata":{"cost":3.28,"cost_currency":null},"classifier_targets":[{"name":"intent","labels":["a","b"],"loss_function":null}],
		"events":[{"name":"status-updated","data":{"status":"FAILED","error":"no"},"created_at":1767225601},{"name":"x","data":null}],
		"checkpoints":[{"metrics":{"train_loss":0.5,"valid_loss":null},"step_number":1,"created_at":1767225601}],
		"unheard_of":{"a":[1]}}`
	var job DetailedJob
	if err := json.Unmarshal([]byte(document), &job); err != nil {
		t.Fatal(err)
	}
	want := DetailedJob{
		Job: Job{
			ID: "j1", Object: "job", JobType: "classifier", Model: "ministral-3b-latest", Status: "PAUSED_BY_MOON",
			CreatedAt: 1767225600, ModifiedAt: 1767225601, TrainingFiles: []string{"f1"},
			Hyperparameters: Hyperparameters{LearningRate: new(0.00004), Epochs: new(47.74)},
			Integrations:    []Integration{{Type: IntegrationWandb, Project: "p"}},
			Metadata:        &JobMetadata{Cost: new(3.28)},
		},
		ClassifierTargets: []ClassifierTarget{{Name: "intent", Labels: []string{"a", "b"}, Weight: 1}},
		Events: []Event{
			{Name: EventStatusUpdated, Data: json.RawMessage(`{"status":"FAILED","error":"no"}`), CreatedAt: 1767225601},
			{Name: "x", Data: json.RawMessage("null")},
		},
		Checkpoints: []Checkpoint{{Metrics: CheckpointMetrics{TrainLoss: new(0.5)}, StepNumber: 1, CreatedAt: 1767225601}},
	}
	if !reflect.DeepEqual(job, want) {
		t.Errorf("job is %+v\nwant   %+v", job, want)
	}
	if job.Status.Finished() {
		t.Error("an unknown status counts as finished")
	}
}

func TestFinished(t *testing.T) {
	for status, want := range map[JobStatus]bool{
		JobQueued: false, JobStarted: false, JobValidating: false, JobValidated: false, JobRunning: false,
		JobCancellationRequested: false, "": false,
		JobSuccess: true, JobFailed: true, JobFailedValidation: true, JobCancelled: true,
	} {
		if status.Finished() != want {
			t.Errorf("%q: finished is %t", status, !want)
		}
	}
}

func TestMessageContent(t *testing.T) {
	tests := []struct {
		reason, document string
		want             Content
		refused          bool
	}{
		{"a string", `"hi \"you\""`, `hi "you"`, false},
		{"null, as a tool's message may have", `null`, "", false},
		{"chunks of text, one a line", `[{"type":"text","text":"a"},{"type":"image_url","image_url":"u"},{"type":"text","text":"b"}]`, "a\nb", false},
		{"no chunks", `[]`, "", false},
		{"a number", `7`, "", true},
		{"a chunk that is none", `["a"]`, "", true},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			message := Message{Content: "old"}
			err := json.Unmarshal([]byte(`{"role":"user","prefix":false,"content":`+test.document+`}`), &message)
			if (err != nil) != test.refused {
				t.Fatalf("error is %v", err)
			}
			if err == nil && message.Content != test.want {
				t.Errorf("content is %q, want %q", message.Content, test.want)
			}
		})
	}
}

func TestManyChunksAreReadInLinearTime(t *testing.T) {
	const chunks = 100_000
	document := `[{"text":"abcdefgh"}` + strings.Repeat(`,{"text":"abcdefgh"}`, chunks-1) + `]`
	var content Content
	start := time.Now()
	if err := json.Unmarshal([]byte(document), &content); err != nil {
		t.Fatal(err)
	}
	if len(content) != chunks*len("abcdefgh\n")-1 {
		t.Errorf("content has %d bytes", len(content))
	}
	// Joining them one by one copies 45 GB.
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("reading took %s", took)
	}
}

func TestInputIsOneOrMany(t *testing.T) {
	for document, want := range map[string]OneOrMany[string]{
		`"a"`: {"a"}, `["a","b"]`: {"a", "b"}, ` [ "a" ] `: {"a"}, `[]`: {}, `null`: nil,
	} {
		var request ClassifyRequest
		if err := json.Unmarshal([]byte(`{"model":"m","input":`+document+`}`), &request); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(request.Input, want) {
			t.Errorf("%s is %#v, want %#v", document, request.Input, want)
		}
	}
	var request ClassifyRequest
	for _, document := range []string{`{"input":7}`, `{"input":["a",7]}`} {
		if err := json.Unmarshal([]byte(document), &request); err == nil {
			t.Errorf("%s was read", document)
		}
	}
	var chat ClassifyChatRequest
	if err := json.Unmarshal([]byte(`{"input":{"messages":[{"role":"user","content":"a"}]}}`), &chat); err != nil {
		t.Fatal(err)
	}
	if want := (OneOrMany[Chat]{{Messages: []Message{{Role: "user", Content: "a"}}}}); !reflect.DeepEqual(chat.Input, want) {
		t.Errorf("input is %+v", chat.Input)
	}
}

func TestScoresKeepTheirOrder(t *testing.T) {
	const document = `{"scores":{"zebra":0.5,"ape":0.25,"a \"b\"":0.125,"mule":1.25e-7}}`
	var scores TargetScores
	if err := json.Unmarshal([]byte(document), &scores); err != nil {
		t.Fatal(err)
	}
	want := Scores{{"zebra", 0.5}, {"ape", 0.25}, {`a "b"`, 0.125}, {"mule", 1.25e-7}}
	if !reflect.DeepEqual(scores.Scores, want) {
		t.Errorf("scores are %v, want %v", scores.Scores, want)
	}
	encoded, err := json.Marshal(scores)
	if err != nil || string(encoded) != document {
		t.Errorf("written as %s, %v", encoded, err)
	}
	for _, document := range []string{`[0.5]`, `[]`, `0.5`, `{"a":"high"}`} {
		if err := json.Unmarshal([]byte(document), &Scores{}); err == nil {
			t.Errorf("%s was read", document)
		}
	}
}

func TestTrainingFileShapes(t *testing.T) {
	for document, want := range map[string]TrainingFile{
		`"f1"`:                          {FileID: "f1", Weight: 1},
		`{"file_id":"f1"}`:              {FileID: "f1", Weight: 1},
		`{"file_id":"f1","weight":0.5}`: {FileID: "f1", Weight: 0.5},
	} {
		var file TrainingFile
		if err := json.Unmarshal([]byte(document), &file); err != nil || file != want {
			t.Errorf("%s is %+v, %v", document, file, err)
		}
	}
}
