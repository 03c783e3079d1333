package classifier

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func smallModel(t testing.TB) *Model {
	t.Helper()
	return train(t, colourExamples(30), nil, Options{Targets: []Target{colours}})
}

// seal appends the checksum, so that what is behind it is looked at.
func seal(content []byte) []byte {
	sum := sha256.Sum256(content)
	return append(bytes.Clone(content), sum[:]...)
}

func TestModelFileRoundTrip(t *testing.T) {
	model := smallModel(t)
	file := encode(t, model)
	read, err := ReadModel(iotest.OneByteReader(bytes.NewReader(file)))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(read.Targets(), []Target{colours}) {
		t.Errorf("targets %+v", read.Targets())
	}
	for _, example := range colourExamples(30) {
		if got, want := read.Classify(example.Text, nil), model.Classify(example.Text, nil); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: scores %v instead of %v", example.Text, got, want)
		}
	}
	if !bytes.Equal(encode(t, read), file) {
		t.Error("a model that was read is written differently")
	}
}

func TestFileOfAModelOfConversations(t *testing.T) {
	var examples []Example
	for _, example := range colourExamples(60) {
		examples = append(examples, Example{Labels: example.Labels, Text: RenderChat([]Message{{"user", example.Text}, {"assistant", "it is blue"}})})
	}
	model := train(t, examples, nil, Options{Targets: []Target{colours}})
	file := encode(t, model)
	read, err := ReadModel(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for _, example := range examples {
		if got, want := read.Classify(example.Text, nil), model.Classify(example.Text, nil); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: scores %v instead of %v", example.Text, got, want)
		}
	}
	if !bytes.Equal(encode(t, read), file) {
		t.Error("a model that was read is written differently")
	}
	model.vocabulary.turns.Places = model.vocabulary.turns.Places[1:]
	if _, err := ReadModel(bytes.NewReader(encode(t, model))); err == nil || !strings.Contains(err.Error(), "inconsistent") {
		t.Errorf("error %v where a place has no weight", err)
	}
}

func TestReadModelSaysWhichVersion(t *testing.T) {
	file := encode(t, smallModel(t))
	file[len(magic)-1] = 1
	_, err := ReadModel(bytes.NewReader(file))
	if other, ok := errors.AsType[*VersionError](err); !ok || other.Version != 1 {
		t.Errorf("error %v", err)
	}
}

func TestReadModelRejects(t *testing.T) {
	file := encode(t, smallModel(t))
	content := file[:len(file)-sha256.Size]
	newer := bytes.Clone(content)
	newer[len(magic)-1]++
	flipped := bytes.Clone(file)
	flipped[len(flipped)/2] ^= 1
	for _, test := range []struct {
		reason string
		data   []byte
		want   string
	}{
		{"nothing", nil, "not a model file"},
		{"another kind of file", []byte(strings.Repeat(`{"text": "…"}`, 10)), "not a model file"},
		{"another version", seal(newer), "version 5"},
		{"a flipped bit", flipped, "checksum"},
		{"a missing end", file[:len(file)-1], "checksum"},
		{"something behind the end", append(bytes.Clone(file), 0), "checksum"},
		{"too few weights behind a good checksum", seal(content[:len(content)-1]), "number of weights"},
		{"a header without an end", seal([]byte(magic + "\xff\xff\xff\x0f{")), "ends too early"},
		{"a header that is no JSON", seal([]byte(magic + "\x01{")), "not valid JSON"},
		{"a header without targets", seal([]byte(magic + "\x02{}")), "no targets"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if _, err := ReadModel(bytes.NewReader(test.data)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q in it", err, test.want)
			}
		})
	}
}

func TestWriteToReportsFailures(t *testing.T) {
	reader, writer := io.Pipe()
	_ = reader.Close()
	if _, err := smallModel(t).WriteTo(writer); err == nil {
		t.Error("no error")
	}
}

// FuzzReadModel changes the content in front of a checksum that always matches. What
// is accepted must classify.
func FuzzReadModel(f *testing.F) {
	file := encode(f, smallModel(f))
	content := file[:len(file)-sha256.Size]
	f.Add(content)
	f.Add(content[:len(content)/2])
	conversations := encode(f, train(f, asMessages(colourExamples(30)), nil, Options{Targets: []Target{colours}}))
	f.Add(conversations[:len(conversations)-sha256.Size])
	f.Add([]byte(magic))
	f.Add([]byte(magic + "\xff\xff\xff\xff\x0f"))
	f.Fuzz(func(t *testing.T, content []byte) {
		model, err := ReadModel(bytes.NewReader(seal(content)))
		if err != nil {
			return
		}
		for _, text := range []string{"it is red, please", RenderChat([]Message{{"user", "it is red"}, {"assistant", "it is blue"}})} {
			for _, scores := range model.Classify(text, nil) {
				sum := 0.0
				for _, score := range scores {
					sum += score
				}
				if math.Abs(sum-1) > 1e-6 {
					t.Errorf("scores %v", scores)
				}
			}
		}
	})
}
