package controller

import (
	"encoding/json"
	"fmt"
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
	scope := longestReport(strings.Repeat("x", 256), manyLabels(20, 200, length))
	if encoded, err := json.Marshal(scope.status.Report); err != nil || len(encoded) > 8<<10 {
		t.Errorf("the report has %d bytes: %v", len(encoded), err)
	}
	for i := range scope.status.Targets {
		labels := scope.status.Targets[i].Labels
		for j := range labels {
			most := int64(dataset.DefaultLimits().Samples)
			labels[j].Samples, labels[j].Train, labels[j].Validation, labels[j].Test = most, &most, &most, &most
		}
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
	encoded, err := json.Marshal(scope.status)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", len(encoded))
	if len(encoded) >= 64<<10 {
		t.Errorf("the status has %d bytes", len(encoded))
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
