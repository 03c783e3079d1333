package factory

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// BenchmarkClassify is a request of 32 short texts to a model of 64 labels, HTTP
// and JSON included.
func BenchmarkClassify(b *testing.B) {
	var rows strings.Builder
	for i := range 640 {
		fmt.Fprintf(&rows, `{"text": "please do what number %d says in the usual way", "labels": {"intent": "label_%d"}}`+"\n", i%64, i%64)
	}
	s := startServer(b, nil)
	texts := make([]string, 32)
	for i := range texts {
		texts[i] = fmt.Sprintf("what does number %d say about the usual way today", i)
	}
	body, err := json.Marshal(map[string]any{"model": s.train("rows.jsonl", rows.String()), "input": texts})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if status, answer := s.requestAs("alice-key", http.MethodPost, "/v1/classifications", "application/json", strings.NewReader(string(body))); status != 200 {
			b.Fatal(status, answer)
		}
	}
	b.ReportMetric(float64(b.N*len(texts))/b.Elapsed().Seconds(), "texts/s")
}

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
