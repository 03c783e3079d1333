package controller

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/samples"
)

// toolFile is a file as a tool writes it.
type toolFile struct{ name, content string }

// TestExportsAreReadAsThePageSays reads what tools write by the manifests that the page
// has for them.
func TestExportsAreReadAsThePageSays(t *testing.T) {
	manifests := manifestsOf(t, bringYourData(t))
	for _, test := range []struct {
		manifest string
		files    []toolFile
		want     []string
		filtered int
		invalid  int
	}{
		{"doccano-jsonl", []toolFile{{"export.jsonl", `{"id": 0, "text": "Where is my parcel", "label": ["track"], "Comments": []}
{"id": 1, "text": "I want my money back", "label": ["refund"], "Comments": []}
{"id": 2, "text": "Not looked at yet", "label": [], "Comments": []}
`}}, []string{"Where is my parcel: intent=track", "I want my money back: intent=refund"}, 0, 1},
		{"doccano-csv", []toolFile{{"export.csv", "id,text,label\n0,\"Where, is it\",track\n1,Refund me,refund#urgent\n"}},
			[]string{"Where, is it: intent=[track]", "Refund me: intent=[refund urgent]"}, 0, 0},
		{"label-studio-csv", []toolFile{{"export.csv", `annotation_id,annotator,created_at,id,lead_time,sentiment,text,updated_at
1,1,2026-01-01T10:00:00Z,1,2.1,Positive,"Nice, really",2026-01-01T10:00:00Z
3,1,2026-01-01T10:00:00Z,3,2,"{""choices"":[""Positive"",""Negative""]}",Mixed,2026-01-01T10:00:00Z
`}}, []string{"Nice, really: sentiment=[Positive]", "Mixed: sentiment=[Positive Negative]"}, 0, 0},
		{"label-studio-json-min", []toolFile{{"export.json", `[{"id":1,"text":"Nice","sentiment":"Positive","annotator":1,"annotation_id":1,"lead_time":2.1},
{"id":2,"text":"Bad","sentiment":{"choices":["Negative"]},"annotator":1,"annotation_id":2,"lead_time":2.1}]`}},
			[]string{"Nice: sentiment=Positive", "Bad: sentiment=Negative"}, 0, 0},
		{"prodigy", []toolFile{{"export.jsonl", `{"text":"Where is it","_input_hash":1,"_task_hash":2,"options":[{"id":"track","text":"track"},{"id":"refund","text":"refund"}],"_view_id":"choice","accept":["track"],"config":{"choice_style":"single"},"answer":"accept","_timestamp":1700000000}
{"text":"asdf","_input_hash":3,"_task_hash":4,"options":[{"id":"track","text":"track"},{"id":"refund","text":"refund"}],"_view_id":"choice","accept":[],"config":{"choice_style":"single"},"answer":"reject","_timestamp":1700000001}
{"text":"Money back","_input_hash":5,"_task_hash":6,"options":[{"id":"track","text":"track"},{"id":"refund","text":"refund"}],"_view_id":"choice","accept":["refund"],"config":{"choice_style":"single"},"answer":"accept","_timestamp":1700000002}
{"text":"hm","_input_hash":7,"_task_hash":8,"options":[],"_view_id":"choice","accept":[],"answer":"ignore","_timestamp":1700000003}
`}}, []string{"Where is it: intent=track", "Money back: intent=refund"}, 2, 0},
		{"argilla", []toolFile{{"export.jsonl", `{"id":"1","status":"completed","_server_id":"a","text":"Where is it","label.responses":["track"],"label.responses.users":["u"],"label.responses.status":["submitted"],"label.suggestion":"refund","label.suggestion.score":0.4,"label.suggestion.agent":"m"}
{"id":"2","status":"pending","_server_id":"b","text":"Refund","label.responses":null,"label.responses.users":null,"label.responses.status":null,"label.suggestion":"refund","label.suggestion.score":0.9,"label.suggestion.agent":"m"}
{"id":"3","status":"completed","_server_id":"c","text":"Money","label.responses":["refund"],"label.responses.users":["u"],"label.responses.status":["submitted"],"label.suggestion":null,"label.suggestion.score":null,"label.suggestion.agent":null}
`}}, []string{"Where is it: intent=track", "Money: intent=refund"}, 1, 0},
		{"hugging-face", []toolFile{{"train.jsonl", `{"text":"Bad","label":0}` + "\n" + `{"text":"Good","label":2}` + "\n" + `{"text":"Unlabelled","label":-1}` + "\n"}, {"more.csv", "text,label\nOK,1\n"}},
			[]string{"Bad: sentiment=negative", "Good: sentiment=positive", "OK: sentiment=neutral"}, 1, 0},
		{"hugging-face-sequence", []toolFile{{"train.jsonl", `{"text":"Wow, funny","labels":[0,1],"id":"a"}` + "\n" + `{"text":"Grr","labels":[2],"id":"b"}` + "\n"}},
			[]string{"Wow, funny: emotions=[admiration amusement]", "Grr: emotions=[anger]"}, 0, 0},
		{"openai-chat", []toolFile{{"train.jsonl", `{"messages":[{"role":"system","content":"Classify."},{"role":"user","content":"Where is it"},{"role":"assistant","content":"track"}]}
{"messages":[{"role":"system","content":"Classify."},{"role":"user","content":"Refund"},{"role":"assistant","content":"refund"}]}
`}}, []string{"system Classify. user Where is it: intent=track", "system Classify. user Refund: intent=refund"}, 0, 0},
		{"pandas", []toolFile{{"tickets.csv", ",text,label\n0,Where is it,0.0\n1,Refund,1.0\n2,Not labelled,\n"}}, []string{"Where is it: intent=track", "Refund: intent=refund"}, 0, 1},
		{"one-hot", []toolFile{{"train.csv", "id,comment_text,toxic,severe_toxic,obscene,insult\n00a,you fool,1,0,0,1\n00b,have a nice day,0,0,0,0\n"}},
			[]string{"you fool: toxicity=[toxic insult]", "have a nice day: toxicity=[clean]"}, 0, 0},
		{"excel", []toolFile{{"tickets.csv", "\xEF\xBB\xBFtext;track;refund\r\nWo ist es;WAHR;FALSCH\r\nGeld, bitte;FALSE;TRUE\r\nWo?;1;0\r\n"}},
			[]string{"Geld, bitte: intent=refund", "Wo?: intent=track"}, 0, 1},
		{"bigquery", []toolFile{{"000000000000.json", `{"id":"9007199254740993","ticket":{"body":"Where is it","at":"2026-01-01 10:00:00 UTC"},"intent":"track","topics":["parcel"]}
{"id":"2","ticket":{"body":"Money"},"topics":["billing","account"]}
{"id":"3","ticket":{"body":"Refund"},"intent":"refund","topics":[]}
`}}, []string{"Where is it: intent=track topics=[parcel]", "Money: topics=[billing account]", "Refund: intent=refund"}, 0, 0},
		{"spark", []toolFile{{"intent=refund/part-00000-a1b2.c000.json", `{"text":"Money back"}` + "\n"}, {"intent=track/part-00000-a1b2.c000.json", `{"text":"Where is it"}` + "\n"}},
			[]string{"Money back: intent=refund", "Where is it: intent=track"}, 0, 0},
	} {
		t.Run(test.manifest, func(t *testing.T) {
			spec, ok := manifests[test.manifest]
			if !ok {
				t.Fatal("the page has no such manifest")
			}
			got, filtered, invalid := readFiles(t, &spec, test.files)
			if !slices.Equal(got, test.want) || filtered != test.filtered || invalid != test.invalid {
				t.Errorf("got %q, %d filtered, %d invalid; want %q, %d and %d", got, filtered, invalid, test.want, test.filtered, test.invalid)
			}
			delete(manifests, test.manifest)
		})
	}
	for name := range manifests {
		t.Errorf("no file is read by the manifest %s", name)
	}
}

// TestConverterOfThePage runs the command that the page has for what no mapping reads.
func TestConverterOfThePage(t *testing.T) {
	command := regexp.MustCompile("(?s)```sh\n(jq .*?)```").FindStringSubmatch(bringYourData(t))
	if command == nil {
		t.Fatal("the page has no command")
	}
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("there is no jq")
	}
	folder := t.TempDir()
	export := `[{"id":1,"annotations":[{"id":1,"result":[{"value":{"choices":["Positive","Calm"]},"from_name":"sentiment","to_name":"text","type":"choices"}],"was_cancelled":false}],"data":{"text":"Nice"}},
{"id":2,"annotations":[{"id":2,"result":[]}],"data":{"text":"Skipped"}}, {"id":3,"annotations":[],"data":{"text":"New"}}]`
	if err := os.WriteFile(filepath.Join(folder, "export.json"), []byte(export), 0o600); err != nil {
		t.Fatal(err)
	}
	shell := exec.CommandContext(t.Context(), "sh", "-c", command[1])
	shell.Dir = folder
	if output, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	lines, err := os.ReadFile(filepath.Join(folder, "export.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	got, filtered, invalid := readFiles(t, &classifierv1alpha1.ClassifierDatasetSpec{}, []toolFile{{"export.jsonl", string(lines)}})
	if want := []string{"Nice: sentiment=[Positive Calm]"}; !slices.Equal(got, want) || filtered+invalid > 0 {
		t.Errorf("got %q, %d filtered, %d invalid; want %q", got, filtered, invalid, want)
	}
}

func bringYourData(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "how-to", "bring-your-data.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// manifestsOf are the specs of the page's datasets by their names.
func manifestsOf(t *testing.T, page string) map[string]classifierv1alpha1.ClassifierDatasetSpec {
	t.Helper()
	manifests := map[string]classifierv1alpha1.ClassifierDatasetSpec{}
	for _, block := range regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$").FindAllStringSubmatch(page, -1) {
		var object classifierv1alpha1.ClassifierDataset
		if err := yaml.UnmarshalStrict([]byte(block[1]), &object); err != nil {
			t.Fatalf("%v\n%s", err, block[1])
		}
		if _, ok := manifests[object.Name]; ok {
			t.Errorf("the page has the manifest %s twice", object.Name)
		}
		manifests[object.Name] = object.Spec
	}
	return manifests
}

// readFiles reads files by the spec, as the operator does.
func readFiles(t *testing.T, spec *classifierv1alpha1.ClassifierDatasetSpec, files []toolFile) (described []string, filtered, invalid int) {
	t.Helper()
	reader := dataset.NewPartsReader(&toolFiles{files}, samples.Options(spec), nil, dataset.DefaultLimits())
	for sample := (dataset.Sample{}); ; {
		err := reader.Read(&sample)
		_, isInvalid := errors.AsType[*dataset.InvalidSampleError](err)
		switch {
		case err == nil:
			described = append(described, describeSample(&sample))
		case errors.Is(err, io.EOF):
			return described, filtered, invalid
		case errors.Is(err, dataset.ErrFiltered):
			filtered++
		case isInvalid:
			invalid++
		default:
			t.Fatal(err)
		}
	}
}

func describeSample(sample *dataset.Sample) string {
	words := []string{sample.Text}
	if len(sample.Messages) > 0 {
		words = nil
	}
	for _, message := range sample.Messages {
		words = append(words, message.Role, message.Content)
	}
	described := strings.Join(words, " ") + ":"
	for _, labels := range sample.Labels {
		if labels.Multi {
			described += fmt.Sprintf(" %s=%v", labels.Target, labels.Labels)
		} else {
			described += fmt.Sprintf(" %s=%s", labels.Target, labels.Labels[0])
		}
	}
	return described
}

// toolFiles are parts.
type toolFiles struct{ left []toolFile }

func (f *toolFiles) Next() (name string, content io.Reader, err error) {
	if len(f.left) == 0 {
		return "", nil, io.EOF
	}
	file := f.left[0]
	f.left = f.left[1:]
	return file.name, strings.NewReader(file.content), nil
}
