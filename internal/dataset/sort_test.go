package dataset

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// Sorting in runs gives what sorting everything at once gives, however small the runs are.
func TestSorter(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	var entries []entry
	for range 2000 {
		e := entry{row: bytes.Repeat([]byte{byte(random.IntN(256))}, random.IntN(300))}
		e.key = makeEntryKey(random.Uint64N(50), random.Uint64N(2), random.Uint64N(2), random.Uint64())
		for range random.IntN(4) {
			e.labels = append(e.labels, random.Uint32())
		}
		entries = append(entries, e)
	}
	want := slices.Clone(entries)
	slices.SortFunc(want, func(a, b entry) int { return bytes.Compare(a.key[:], b.key[:]) })

	for reason, memory := range map[string]int{
		"in memory": 1 << 20, "in a few runs": 100_000, "in many runs": 5000, "each entry is a run": 1,
	} {
		t.Run(reason, func(t *testing.T) {
			scratch := &memoryScratch{}
			sorter := sorter{scratch: scratch, maxBytes: memory}
			for i := range entries {
				if err := sorter.add(&entries[i]); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 { // walking again is possible
				var got []entry
				err := sorter.walk(func(e *entry) error {
					got = append(got, entry{key: e.key, labels: slices.Clone(e.labels), row: slices.Clone(e.row)})
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				if len(got) != len(want) {
					t.Fatalf("%d entries of %d", len(got), len(want))
				}
				for i := range got {
					if got[i].key != want[i].key || !bytes.Equal(got[i].row, want[i].row) || !slices.Equal(got[i].labels, want[i].labels) {
						t.Fatalf("entry %d is not what was added", i)
					}
				}
			}
			if err := sorter.close(); err != nil || scratch.open > 0 || scratch.created > 1 {
				t.Errorf("of %d files %d are open, %v", scratch.created, scratch.open, err)
			}
		})
	}
}

// A hostile dataset repeats one input and makes every entry's order the same.
func TestSortingManyEqualInputsBoundsMemory(t *testing.T) {
	scratch := &memoryScratch{}
	sorter := sorter{scratch: scratch, maxBytes: 64 << 10}
	e := entry{labels: []uint32{1}, row: make([]byte, 1000)}
	for i := range uint64(5000) {
		e.key = makeEntryKey(1, 1, 1, i)
		if err := sorter.add(&e); err != nil {
			t.Fatal(err)
		}
	}
	var rows []uint64
	if err := sorter.walk(func(e *entry) error { rows = append(rows, uint64(e.key[31])|uint64(e.key[30])<<8); return nil }); err != nil {
		t.Fatal(err)
	}
	want := make([]uint64, 5000)
	for i := range want {
		want[i] = uint64(i)
	}
	if !reflect.DeepEqual(rows, want) {
		t.Error("the entries are not in order")
	}
	if cap(sorter.data) > 128<<10 {
		t.Errorf("the sorter holds %d bytes", cap(sorter.data))
	}
}
