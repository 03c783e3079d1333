package scaled

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob/buckettest"
	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/test/processes"
)

// form is what a factory runs as.
type form struct {
	name             string
	servers, workers int // none of both: one process on SQLite and its directory
}

// run starts it, and gives the addresses of its servers.
func (f form) run(b *testing.B) (servers []string) {
	b.Helper()
	start := func(arguments ...string) string {
		address := processes.FreeAddress(b)
		processes.Start(b, binary, address, nil, append(arguments, "--listen="+address, "--data-dir="+b.TempDir())...)
		return address
	}
	serve := []string{"serve", "--insecure-no-auth", "--metrics-listen=127.0.0.1:0", "--tenant-requests-per-second=0", "--tenant-requests-under-way=0"}
	if f.servers == 0 {
		return []string{start(serve...)}
	}
	shared := []string{"--database-url=" + postgrestest.URL(b), "--blob-url=" + buckettest.S3(b)}
	for range f.servers {
		servers = append(servers, start(append(append(serve, "--workers=0"), shared...)...))
	}
	for range f.workers {
		start(append([]string{"work", "--training-memory=512Mi"}, shared...)...)
	}
	return servers
}

func anonymous(b *testing.B, server string) *mistral.Client {
	b.Helper()
	client, err := mistral.NewClient(mistral.Config{BaseURL: "http://" + server})
	if err != nil {
		b.Fatal(err)
	}
	return client
}

// trainAll trains a number of jobs on the same rows at once, and gives the model of one.
func trainAll(b *testing.B, server string, jobs, number int) (model string) {
	b.Helper()
	client := anonymous(b, server)
	file, err := uploadTo(b.Context(), client, "rows.jsonl", rows(number, "everybody"))
	if err != nil {
		b.Fatal(err)
	}
	var created []string
	for i := range jobs {
		job, err := client.CreateJob(b.Context(), jobOf(file.ID, fmt.Sprintf("job%d", i)))
		if err != nil {
			b.Fatal(err)
		}
		created = append(created, job.ID)
	}
	for _, id := range created {
		for {
			job, err := client.GetJob(b.Context(), id)
			if err != nil {
				b.Fatal(err)
			}
			if job.Status == mistral.JobSuccess {
				model = *job.FineTunedModel
				break
			}
			if job.Status.Finished() {
				b.Fatalf("a job is %s: %s", job.Status, story(job))
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	return model
}

// BenchmarkClassification floods servers from as many connections, whatever their number is: what
// more of them bring on one machine is what they cost each other.
func BenchmarkClassification(b *testing.B) {
	const connections = 8
	for _, f := range []form{{"one process", 0, 0}, {"1 server", 1, 1}, {"2 servers", 2, 1}, {"3 servers", 3, 1}} {
		for _, texts := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/%d texts", f.name, texts), func(b *testing.B) {
				servers := f.run(b)
				body, err := json.Marshal(mistral.ClassifyRequest{
					Model: trainAll(b, servers[0], 1, 2000), Input: inputs(texts),
				})
				if err != nil {
					b.Fatal(err)
				}
				client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
				classify := func(i int) {
					response, err := client.Post("http://"+servers[i%len(servers)]+"/v1/classifications", "application/json", bytes.NewReader(body))
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, response.Body)
					_ = response.Body.Close()
					if response.StatusCode != http.StatusOK {
						b.Error(response.Status)
					}
				}
				for i := range servers {
					classify(i) // which loads the model
				}
				b.ResetTimer()
				var senders sync.WaitGroup
				for c := range connections {
					senders.Go(func() {
						for i := c; i < b.N && !b.Failed(); i += connections {
							classify(c)
						}
					})
				}
				senders.Wait()
				b.ReportMetric(float64(b.N*texts)/b.Elapsed().Seconds(), "texts/s")
			})
		}
	}
}

func inputs(number int) (texts []string) {
	for i := range number {
		texts = append(texts, fmt.Sprintf("row %d of everybody", i))
	}
	return texts
}

// BenchmarkTraining trains the same jobs with more and more workers.
func BenchmarkTraining(b *testing.B) {
	const jobs = 24
	for _, f := range []form{{"one process", 0, 0}, {"1 worker", 1, 1}, {"2 workers", 1, 2}, {"4 workers", 1, 4}} {
		b.Run(f.name, func(b *testing.B) {
			server := f.run(b)[0]
			trainAll(b, server, 1, 2000)
			for b.Loop() {
				trainAll(b, server, jobs, 2000)
			}
			b.ReportMetric(jobs*float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
		})
	}
}
