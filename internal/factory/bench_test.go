package factory

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkClassify is a request of short texts to a model of 64 labels, JSON
// included; HTTP's connections are not the factory's.
func BenchmarkClassify(b *testing.B) {
	s := startServer(b, nil)
	model := s.train("rows.jsonl", manyIntents())
	for _, texts := range []int{1, 64} {
		b.Run(fmt.Sprintf("texts=%d", texts), func(b *testing.B) {
			classify := s.classification(model, texts)
			b.ReportAllocs()
			for b.Loop() {
				classify()
			}
			b.ReportMetric(float64(b.N*texts)/b.Elapsed().Seconds(), "texts/s")
		})
	}
}

// manyIntents are rows of 64 labels.
func manyIntents() string {
	var rows strings.Builder
	for i := range 640 {
		fmt.Fprintf(&rows, `{"text": "please do what number %d says in the usual way", "labels": {"intent": "label_%d"}}`+"\n", i%64, i%64)
	}
	return rows.String()
}

// classification asks the handler to classify as many texts.
func (s *server) classification(model string, number int) (classify func()) {
	texts := make([]string, number)
	for i := range texts {
		texts[i] = fmt.Sprintf("what does number %d say about the usual way today", i)
	}
	body, err := json.Marshal(map[string]any{"model": model, "input": texts})
	if err != nil {
		s.t.Fatal(err)
	}
	handler := s.factory.Handler()
	return func() {
		request := httptest.NewRequest(http.MethodPost, "/v1/classifications", bytes.NewReader(body))
		request.Header.Set("Authorization", "Bearer alice-key")
		answer := &discarded{header: http.Header{}}
		if handler.ServeHTTP(answer, request); answer.status != http.StatusOK {
			s.t.Fatal(answer.status)
		}
	}
}

// discarded is an answer of which only the status is kept.
type discarded struct {
	header http.Header
	status int
}

func (d *discarded) Header() http.Header            { return d.header }
func (d *discarded) WriteHeader(status int)         { d.status = status }
func (d *discarded) Write(data []byte) (int, error) { return len(data), nil }

// BenchmarkUpload is a file of 64 MB.
func BenchmarkUpload(b *testing.B) {
	s := startServer(b, nil)
	row := intents(1)
	const size = 64 << 20
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		contentType, open := form(b, "large.jsonl", row)
		boundary := "--" + strings.TrimPrefix(contentType, "multipart/form-data; boundary=")
		head, err := io.ReadAll(open)
		if err != nil {
			b.Fatal(err)
		}
		start := strings.TrimSuffix(string(head), "\r\n"+boundary+"--\r\n")
		body := io.MultiReader(strings.NewReader(start), io.LimitReader(zeros{}, size), strings.NewReader("\r\n"+boundary+"--\r\n"))
		if status, answer := s.requestAs("alice-key", http.MethodPost, "/v1/files", contentType, body); status != 200 {
			b.Fatal(status, answer)
		}
	}
}
