package serving

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/classifier"
	"github.com/classifier-factory/classifier-factory/internal/factory/basemodels"
)

// elsewhere answers with the same, whatever it is asked.
type elsewhere struct {
	values []float32
	err    error
	calls  int
}

func (*elsewhere) Dimension() int { return 2 }

func (e *elsewhere) Represent(context.Context, []string) ([]float32, error) {
	e.calls++
	return e.values, e.err
}

func TestRepresent(t *testing.T) {
	gone := errors.New("the server is gone")
	for _, test := range []struct {
		reason string
		base   *elsewhere
		fails  bool
	}{
		{"all inputs are asked about in one call", &elsewhere{values: []float32{1, 2, 3, 4}}, false},
		{"it does not answer", &elsewhere{err: gone}, true},
		{"it answers with too little", &elsewhere{values: []float32{1, 2, 3}}, true},
	} {
		t.Run(test.reason, func(t *testing.T) {
			m := &Models{baseModels: basemodels.Models{{Name: "other", Digest: "1234", Representation: test.base}}}
			pinned := &classifier.BaseModel{Name: "other", Digest: "1234", Dimension: 2}
			got, err := m.represent(t.Context(), pinned, 2, func(int) string { return "text" }, nil)
			if failed, ok := errors.AsType[*RepresentationError](err); ok != test.fails || ok && (failed.Name != "other" || failed.Error() == "") {
				t.Errorf("%v", err)
			}
			if test.base.err != nil && !errors.Is(err, gone) {
				t.Errorf("%v does not say why", err)
			}
			if !test.fails && (!slices.Equal(got.at(1), []float32{3, 4}) || test.base.calls != 1) {
				t.Errorf("%+v in %d calls", got, test.base.calls)
			}
		})
	}
}
