package controller

import (
	"strings"
	"testing"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// TestPartsAreParts holds that no key of a ConfigMap has a say in how the next is read,
// and that what is wrong with one is told with its name.
func TestPartsAreParts(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	rows := strings.Repeat("Where is it,track\nMoney back,refund\n", 50)
	for _, test := range []struct {
		reason, name string
		a, b         string
		want         string // of Ready
		says         string
	}{
		{"a quote that is not closed is no row that may be skipped", "cut-off", "text,label\n" + rows + `"cut off here`, "text,label\n" + strings.Repeat(rows, 50),
			classifierv1alpha1.ReasonInvalidDataset, "part cut-off/a, line 102: UnclosedQuote: "},
		{"columns are found by each part's header", "order", "text,label\n" + rows, "label,text\ntrack,Hi\nrefund,Money\n",
			classifierv1alpha1.ReasonUploaded, "102 samples are uploaded"},
		{"a header that lacks a column is refused", "lacking", "id,text,label\n1,Hi,track\n2,Money,refund\n", "text,label\n" + rows,
			classifierv1alpha1.ReasonInvalidDataset, `part lacking/b, line 1: DifferentHeader: the header has the columns "text", "label"; that of part lacking/a has "id", "text", "label"`},
		{"a row that breaks off does not go on in the next part", "broken-row", "text,label\n" + rows + "Where", "text,label\n" + rows,
			classifierv1alpha1.ReasonInvalidSamples, "part broken-row/a, line 102: the record has 1 fields, the header has 2 (RaggedRow)"},
	} {
		d.configMap(test.name, map[string]string{"a": test.a, "b": test.b})
		data := driven(d.dataset(test.name, test.name, "a", "b"))
		data.Spec.CSV = &classifierv1alpha1.CSVOptions{TextColumn: "text", LabelColumns: []classifierv1alpha1.CSVLabelColumn{{Column: "label"}}}
		data.Spec.Preparation.InvalidSamples = classifierv1alpha1.InvalidSamplesSkip
		data.Spec.Preparation.MaxInvalidPercent = new(int32(0))
		if test.want == classifierv1alpha1.ReasonInvalidDataset {
			data.Spec.Preparation.MaxInvalidPercent = new(int32(100))
		}
		d.Create(data)
		d.settle(data, test.want)
		if message := readyOf(data.Status.Conditions).Message; !strings.Contains(message, test.says) {
			t.Errorf("%s: Ready says %q, want %q", test.reason, message, test.says)
		}
	}
}

// TestInvalidSamplesAreTold holds that the status says where they are and why, and
// repeats nothing of them.
func TestInvalidSamplesAreTold(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.configMap("samples", map[string]string{"a.jsonl": sentiments(4), "b.jsonl": sentiments(2) + `{"text": "canary", "labels": {"sentiment": canary}}` + "\n"})
	data := driven(d.dataset("data", "samples", "a.jsonl", "b.jsonl"))
	d.Create(data)
	d.settle(data, classifierv1alpha1.ReasonInvalidSamples)
	want := classifierv1alpha1.InvalidSample{Part: "samples/b.jsonl", Line: 3, Column: 44, Reason: "InvalidJSON", Detail: "a value is missing, or is not JSON"}
	if got := data.Status.InvalidSamples; len(got) != 1 || got[0] != want {
		t.Errorf("the status has %+v, want %+v", got, want)
	}
	if message := readyOf(data.Status.Conditions).Message; !strings.Contains(message, "part samples/b.jsonl, line 3, byte 44: ") || strings.Contains(message, "canary") {
		t.Errorf("Ready says %q", message)
	}
}
