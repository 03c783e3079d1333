package samples

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/dataset"
)

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
			prepared := &dataset.Prepared{Files: []dataset.PreparedFile{
				{Split: dataset.Train, Targets: targets(9, 3)}, {Split: dataset.Validation, Targets: targets(2, 0)}, {Split: dataset.Test, Targets: targets(1, 0)},
			}}
			described := []classifierv1alpha1.TargetStatus{{Name: "t", Labels: []classifierv1alpha1.LabelStatus{{Name: "x", Samples: 12}, {Name: "y", Samples: 3}}}}
			describeSplit(prepared, test.split, described)
			if got, err := json.Marshal(described[0].Labels); err != nil || string(got) != test.want {
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

func TestWarningsAreToldAsFarAsTheyFit(t *testing.T) {
	for _, test := range []struct {
		warnings, length, told int
		last, reason           string
	}{
		{3, 100, 3, "Imbalance", "few are all told"},
		{32, 10, 32, "Imbalance", "as many as the API takes"},
		{40, 10, 32, "MoreWarnings", "more are counted in the last"},
		{32, 1000, 9, "MoreWarnings", "long ones are cut and leave room for fewer"},
	} {
		warnings := make([]dataset.Warning, test.warnings)
		for i := range warnings {
			warnings[i] = dataset.Warning{Reason: dataset.Imbalance, Detail: strings.Repeat("x", test.length)}
		}
		told := describeWarnings(warnings)
		if len(told) != test.told || told[len(told)-1].Reason != test.last {
			t.Errorf("%d are told, the last %+v: %s", len(told), told[len(told)-1], test.reason)
		}
	}
}
