package factory

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob/buckettest"
)

// BenchmarkBytes is what bytes cost in a directory and in a bucket on the same machine: of
// a file that is sent and fetched, and of a model that is loaded.
func BenchmarkBytes(b *testing.B) {
	const size = 32 << 20
	for _, kept := range []string{"directory", "S3"} {
		s := startServer(b, func(c *Config) {
			if kept == "S3" {
				c.BlobURL = buckettest.S3(b)
			}
		})
		row := []byte(`{"text": "` + strings.Repeat("switch the lamp on ", 50) + `", "labels": {"intent": "light"}}` + "\n")
		content := string(bytes.Repeat(row, size/len(row)))
		b.Run("upload/"+kept, func(b *testing.B) {
			b.SetBytes(size)
			for i := 0; b.Loop(); i++ {
				s.upload("rows.jsonl", fmt.Sprintf(`{"text": "%d", "labels": {"intent": "light"}}`+"\n", i)+content)
			}
		})
		file := s.upload("rows.jsonl", content)
		b.Run("download/"+kept, func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				if status, _ := s.request("GET", "/v1/files/"+file.ID+"/content", ""); status != http.StatusOK {
					b.Fatal(status)
				}
			}
		})
		model := s.train("intents.jsonl", manyIntents())
		b.Run("first classification/"+kept, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer() // a server that has no model in memory
				s.close()
				s.open()
				classify := s.classification(model, 1)
				b.StartTimer()
				classify()
			}
		})
	}
}
