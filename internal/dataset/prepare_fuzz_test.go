package dataset

import (
	"slices"
	"strings"
	"testing"
)

// FuzzPrepare checks that no sample is lost, whatever is wished and whatever the
// data is, and that the order of valid rows says nothing. prepareRows checks the rest.
func FuzzPrepare(f *testing.F) {
	some := labelsOf(`{"t":"x"}`) + "\n" + labelsOf(`{"t":"y"}`) + "\n"
	lists := saying("a", `{"t":["x","y"],"u":"v"}`) + "\n" + saying("b", `{"u":"w","t":["y","z"]}`) + "\n" + saying("a", `{"t":["y","x"]}`) + "\n"
	f.Add([]byte(some), true, uint8(50), true, uint8(0), uint8(0), uint8(0), uint8(0), int64(42), false)
	f.Add([]byte(some+some+"{\n"), true, uint8(50), false, uint8(2), uint8(1), uint8(10), uint8(10), int64(1), true)
	f.Add([]byte(lists+lists), false, uint8(0), true, uint8(2), uint8(3), uint8(50), uint8(30), int64(-1), true)
	f.Add([]byte(chatRow+"\n"+textRow+"\n"+chatRow), true, uint8(100), true, uint8(1), uint8(1), uint8(99), uint8(99), int64(0), false)
	f.Add([]byte(saying("a", `{"t":"x"}`)+"\n"+saying("b", `{"t":"y"}`)+" "), true, uint8(50), false, uint8(1), uint8(1), uint8(1), uint8(1), int64(1), false) // a row that ends with white space
	f.Fuzz(func(t *testing.T, data []byte, skip bool, maxInvalid uint8, drop bool, least, most, validation, test uint8, seed int64, stratified bool) {
		preparation := Preparation{
			SkipInvalid: skip, MaxInvalidPercent: int(maxInvalid), DropDuplicates: drop,
			MinSamplesPerLabel: int(least), MaxSamplesPerLabel: int(most),
			ValidationPercent: int(validation), TestPercent: int(test), Seed: seed, Stratified: stratified,
		}
		limits := tightLimits()
		prepared := prepareRows(t, string(data), preparation, limits)
		rows, invalid, err := readRows(strings.NewReader(string(data)), limits)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := prepared.Report.Samples+prepared.Report.Invalid, len(rows)+len(invalid); got != want {
			t.Errorf("%d samples were read, want %d", got, want)
		}
		var all []string
		for _, split := range splits {
			all = append(all, prepared.rows[split]...)
		}
		if again, bad, err := readRows(strings.NewReader(strings.Join(all, "")), limits); err != nil || len(bad) > 0 || len(again) != len(all) {
			t.Errorf("of the prepared rows %q line %v is invalid, %v", all, bad, err)
		}
		taught := labelsIn(t, prepared.rows[Train])
		for label := range labelsIn(t, prepared.rows[Validation]) {
			if !taught[label] {
				t.Errorf("validated on %q, which is not in %q", label, prepared.rows[Train])
			}
		}
		if len(all) == 0 || prepared.Report.Invalid > 0 || !preparation.sorts() {
			return
		}
		lines := strings.SplitAfter(strings.TrimPrefix(string(data), "\xEF\xBB\xBF"), "\n")
		for isBlank([]byte(strings.TrimSuffix(lines[len(lines)-1], "\n"))) {
			lines = lines[:len(lines)-1]
		}
		lines[len(lines)-1] = strings.TrimSuffix(lines[len(lines)-1], "\n") + "\n"
		slices.Reverse(lines)
		for split, rows := range prepareRows(t, strings.Join(lines, ""), preparation, limits).rows {
			if !slices.Equal(rows, prepared.rows[split]) {
				t.Errorf("in reverse %s is %q, want %q", split, rows, prepared.rows[split])
			}
		}
	})
}

// labelsIn are the targets of rows, each with a label.
func labelsIn(t *testing.T, rows []string) map[[2]string]bool {
	t.Helper()
	decoded, _, err := readRows(strings.NewReader(strings.Join(rows, "")), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	found := map[[2]string]bool{}
	for _, row := range decoded {
		for target, labels := range row.Labels {
			for _, label := range labels.Labels {
				found[[2]string{target, label}] = true
			}
		}
	}
	return found
}
