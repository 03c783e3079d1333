package controller

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
)

// TestStatusStaysSmall makes everything in a status as long as it may be.
func TestStatusStaysSmall(t *testing.T) {
	for _, length := range []int{8, 256} { // of names: the shorter they are the more labels are listed
		t.Run(fmt.Sprint(length), func(t *testing.T) { testStatusStaysSmall(t, length) })
	}
}

func testStatusStaysSmall(t *testing.T, length int) {
	scope := longestReport(strings.Repeat("x", 256))
	if encoded, err := json.Marshal(scope.status.Report); err != nil || len(encoded) > 8<<10 {
		t.Errorf("the report has %d bytes: %v", len(encoded), err)
	}
	targets := manyLabels(20, 200, length)
	for _, target := range targets {
		described := describeTarget(target, maxLabelBytes/len(targets))
		for i := range described.Labels {
			label, most := &described.Labels[i], int64(dataset.DefaultLimits().Samples)
			label.Samples, label.Train, label.Validation, label.Test = most, &most, &most, &most
		}
		scope.status.Targets = append(scope.status.Targets, described)
	}
	long := strings.Repeat("x", 2*maxMessageBytes)
	all := conditions{list: &scope.status.Conditions, now: metav1.Now()}
	for _, kind := range []string{"Ready", "Reconciling", "FactoryReachable", "SourceReady", "Validated", "Uploaded", "ReportPublished"} {
		all.setFalse(kind, "SourceCredentialsNotFound", long)
	}
	id, digest := strings.Repeat("i", 128), "sha256:"+strings.Repeat("0", 64)
	for range maxHistory {
		scope.status.History = append(scope.status.History, classifierv1alpha1.DatasetRevision{Digest: digest, FileIDs: []string{id[:36], id[:36], id[:36]}})
	}
	for _, split := range []classifierv1alpha1.Split{"Train", "Validation", "Test"} {
		scope.status.Files = append(scope.status.Files, classifierv1alpha1.DatasetFile{Split: split, ID: id, Name: long[:64], Digest: digest, InputSketch: strings.Repeat("s", 2048)})
	}
	scope.status.Files[2].InputSketch = "" // Test has none
	for range 10 {
		scope.status.InvalidSamples = append(scope.status.InvalidSamples, classifierv1alpha1.InvalidSample{
			Part: long[:maxPartBytes], Line: 1_000_000_000, Column: 1_000_000, Reason: "UnsupportedCompression", Detail: long[:maxDetailBytes]})
	}
	scope.status.Warnings = describeWarnings(slices.Repeat([]dataset.Warning{{Reason: dataset.NearDuplicateSamples, Detail: long[:120]}}, 40))
	encoded, err := json.Marshal(scope.status)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", len(encoded))
	if len(encoded) >= 64<<10 {
		t.Errorf("the status has %d bytes", len(encoded))
	}
}

func TestLabelsAreListedAsFarAsTheyFit(t *testing.T) {
	for _, test := range []struct {
		targets, labels, length, listed int
		reason                          string
	}{
		{1, 150, 32, 150, "an intent set is listed as a whole"},
		{1, 300, 8, 196, "of very many as many as there is room for"},
		{20, 200, 256, 2, "long names leave room for a few"},
	} {
		targets := manyLabels(test.targets, test.labels, test.length)
		described := describeTarget(targets[0], maxLabelBytes/len(targets))
		if len(described.Labels) != test.listed || int(described.LabelCount) != test.labels {
			t.Errorf("%d of %d labels are listed, want %d: %s", len(described.Labels), described.LabelCount, test.listed, test.reason)
		}
	}
}

func TestLabelsAreCountedBySplit(t *testing.T) {
	targets := func(x, y int) []dataset.Target {
		counted := dataset.Target{Name: "t"}
		for name, samples := range map[string]int{"x": x, "y": y} {
			if samples > 0 {
				counted.Labels = append(counted.Labels, dataset.LabelCount{Name: name, Samples: samples})
			}
		}
		return []dataset.Target{counted}
	}
	for _, test := range []struct {
		reason string
		split  *classifierv1alpha1.DatasetSplit
		want   string
	}{
		{"without a split there is nothing to tell", nil, `[{"name":"x","samples":12},{"name":"y","samples":3}]`},
		{"a split that is asked for is counted, if only to say that it has none",
			&classifierv1alpha1.DatasetSplit{ValidationPercent: new(int32(10)), TestPercent: new(int32(10))},
			`[{"name":"x","samples":12,"train":9,"validation":2,"test":1},{"name":"y","samples":3,"train":3,"validation":0,"test":0}]`},
		{"another is not", &classifierv1alpha1.DatasetSplit{ValidationPercent: new(int32(10)), TestPercent: new(int32(0))},
			`[{"name":"x","samples":12,"train":9,"validation":2},{"name":"y","samples":3,"train":3,"validation":0}]`},
	} {
		t.Run(test.reason, func(t *testing.T) {
			scope := newDatasetScope(&classifierv1alpha1.ClassifierDataset{})
			scope.object.Spec.Preparation.Split = test.split
			scope.prepared = &dataset.Prepared{Files: []dataset.PreparedFile{
				{Split: dataset.Train, Targets: targets(9, 3)}, {Split: dataset.Validation, Targets: targets(2, 0)}, {Split: dataset.Test, Targets: targets(1, 0)},
			}}
			scope.status.Targets = []classifierv1alpha1.TargetStatus{{Name: "t", Labels: []classifierv1alpha1.LabelStatus{{Name: "x", Samples: 12}, {Name: "y", Samples: 3}}}}
			scope.describeSplit()
			if got, err := json.Marshal(scope.status.Targets[0].Labels); err != nil || string(got) != test.want {
				t.Errorf("got %s, want %s; %v", got, test.want, err)
			}
		})
	}
}

func manyLabels(targets, labels, length int) []dataset.Target {
	made := make([]dataset.Target, targets)
	for i := range made {
		made[i] = dataset.Target{Name: fmt.Sprintf("%0*d", length, i), Type: dataset.MultiLabel}
		for j := range labels {
			made[i].Labels = append(made[i].Labels, dataset.LabelCount{Name: fmt.Sprintf("%0*d", length, j), Samples: 1_000_000})
		}
	}
	return made
}

// TestStatusFitsTheSchemaWhateverTheLimits raises limits beyond what a status can hold:
// one that the API server refuses would say nothing at all.
func TestStatusFitsTheSchemaWhateverTheLimits(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.datasets.limits.Targets, d.datasets.limits.LabelBytes = 30, 1000
	long := strings.Repeat("x", 300)
	var samples strings.Builder
	for i := range 2 {
		fmt.Fprintf(&samples, `{"text": "%d", "labels": {"%s": "%d", "a": "%s%d"`, i, long, i, long, i)
		for target := range 25 {
			fmt.Fprintf(&samples, `, "%d": "%d"`, target, i)
		}
		samples.WriteString("}}\n")
	}
	data := driven(d.inlineDataset("data", samples.String()))
	d.Create(data)
	d.settle(data, classifierv1alpha1.ReasonUploaded)
	if got := data.Status; len(got.Targets) != 20 || *got.LabelCount != 54 || got.Targets[0].LabelCount != 2 || len(got.Targets[0].Labels) != 0 {
		t.Errorf("the status has %d labels and the targets %+v", *got.LabelCount, got.Targets)
	}
}
