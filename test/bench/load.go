package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	loadCommand = "load"

	loadRate     = 500 // requests a second of each kind
	loadDuration = 20 * time.Second
	warmUp       = 2 * time.Second

	loadConnections = 8
	loadBatch       = 64 // texts a request
	floodDuration   = 5 * time.Second
)

// load measures how the factory classifies under load, with a model that it has
// trained on data of CLASSIFIER_DATA or else on the quickstart's.
func load(ctx context.Context, factory string) (err error) {
	directory, err := os.MkdirTemp("", "classifier-factory-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	server, stop, err := startFactory(ctx, factory, directory, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()

	data, texts, err := readLoadData()
	if err != nil {
		return err
	}
	model, err := trainModel(ctx, server, data)
	if err != nil {
		return err
	}
	l := &loader{client: newLoadClient()}
	l.classifySingly(server, model, texts)
	if l.idle, err = l.measureLatencies(ctx, server); err != nil {
		return err
	}
	if l.training, err = l.measureWhileTraining(ctx, server, data); err != nil {
		return err
	}
	singly, err := l.flood(ctx)
	if err != nil {
		return err
	}
	l.classifyInBatches(server, model, texts)
	batched, err := l.flood(ctx)
	if err != nil {
		return err
	}
	return l.printTable(filepath.Base(filepath.Dir(data))+"/"+filepath.Base(data), singly, loadBatch*batched)
}

// readLoadData gives the file to train on, and texts that are not in it.
func readLoadData() (train string, texts []string, err error) {
	quickstart := filepath.Join("..", "..", "config", "samples", "quickstart", "data")
	train, test := filepath.Join(quickstart, "intents-train.jsonl"), filepath.Join(quickstart, "intents-test.jsonl")
	if data := os.Getenv("CLASSIFIER_DATA"); data != "" {
		train, test = filepath.Join(data, "banking77", "train.jsonl"), filepath.Join(data, "banking77", "test.jsonl")
	}
	rows, err := os.ReadFile(test)
	if err != nil {
		return "", nil, err
	}
	for decoder := json.NewDecoder(bytes.NewReader(rows)); ; {
		var row struct{ Text string }
		if err := decoder.Decode(&row); errors.Is(err, io.EOF) {
			return train, texts, nil
		} else if err != nil {
			return "", nil, err
		}
		texts = append(texts, row.Text)
	}
}

func trainModel(ctx context.Context, server, path string) (string, error) {
	client, err := mistral.NewClient(mistral.Config{BaseURL: server})
	if err != nil {
		return "", err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	file, err := client.UploadFile(ctx, mistral.Upload{Filename: filepath.Base(path), Content: bytes.NewReader(content), Size: int64(len(content))})
	if err != nil {
		return "", err
	}
	created, err := client.CreateJob(ctx, mistral.CreateJobRequest{
		Model: "ministral-3b-latest", JobType: mistral.JobTypeClassifier, AutoStart: true,
		TrainingFiles: []mistral.TrainingFile{{FileID: file.ID, Weight: 1}},
	})
	if err != nil {
		return "", err
	}
	for {
		job, err := client.GetJob(ctx, created.ID)
		switch {
		case err != nil:
			return "", err
		case job.Status == mistral.JobSuccess:
			return *job.FineTunedModel, nil
		case job.Status.Finished():
			return "", fmt.Errorf("the training is %s", job.Status)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// loader sends requests. The bodies are encoded beforehand and the answers are not
// decoded: what it takes itself, it takes from the factory on the same machine.
type loader struct {
	client *http.Client
	url    string
	bodies [][]byte

	idle, training latencies
}

// latencies are those of classifying, and of a route that does nothing.
type latencies struct{ classifying, answering []time.Duration }

func newLoadClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000}}
}

func (l *loader) classifySingly(server, model string, texts []string) {
	l.classify(server, model, slices.Chunk(texts, 1))
}

func (l *loader) classifyInBatches(server, model string, texts []string) {
	for len(texts) < loadBatch {
		texts = append(texts, texts...)
	}
	l.classify(server, model, slices.Chunk(texts[:len(texts)/loadBatch*loadBatch], loadBatch))
}

func (l *loader) classify(server, model string, inputs func(func([]string) bool)) {
	l.url, l.bodies = server+"/v1/classifications", nil
	for input := range inputs {
		body, err := json.Marshal(mistral.ClassifyRequest{Model: model, Input: input})
		if err != nil {
			panic(err) // these are strings
		}
		l.bodies = append(l.bodies, body)
	}
}

func (l *loader) send(ctx context.Context, method, url string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := l.client.Do(request)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body)
	if response.StatusCode != http.StatusOK {
		err = errors.Join(err, fmt.Errorf("%s: %s", url, response.Status))
	}
	return errors.Join(err, response.Body.Close())
}

// measureLatencies measures those of classifying, and between them those of a route
// that does nothing: the least that this machine takes, at that moment, for any request.
func (l *loader) measureLatencies(ctx context.Context, server string) (measured latencies, err error) {
	all, err := schedule(func(i int) error {
		if i%2 == 1 {
			return l.send(ctx, http.MethodGet, server+"/healthz", nil)
		}
		return l.send(ctx, http.MethodPost, l.url, l.bodies[i/2%len(l.bodies)])
	})
	for i, latency := range all {
		if i%2 == 1 {
			measured.answering = append(measured.answering, latency)
		} else {
			measured.classifying = append(measured.classifying, latency)
		}
	}
	return measured, err
}

// measureWhileTraining has the factory train one job after the other meanwhile.
func (l *loader) measureWhileTraining(ctx context.Context, server, data string) (measured latencies, err error) {
	var enough atomic.Bool
	trained := make(chan error, 1)
	go func() {
		var err error
		for err == nil && !enough.Load() {
			_, err = trainModel(ctx, server, data)
		}
		trained <- err
	}()
	measured, err = l.measureLatencies(ctx, server)
	enough.Store(true)
	return measured, errors.Join(err, <-trained)
}

// schedule sends requests at times that are set beforehand, whether or not the
// earlier ones have been answered. A latency counts from the set time: a server
// that stalls is charged for every request that was due meanwhile.
func schedule(send func(i int) error) ([]time.Duration, error) {
	const interval = time.Second / (2 * loadRate)
	latencies := make([]time.Duration, (warmUp+loadDuration)/interval)
	failures := make([]error, len(latencies))
	var requests sync.WaitGroup
	begin := time.Now()
	for i := range latencies {
		due := begin.Add(time.Duration(i) * interval)
		sleepUntil(due)
		requests.Go(func() {
			failures[i] = send(i)
			latencies[i] = time.Since(due)
		})
	}
	requests.Wait()
	return latencies[warmUp/interval:], errors.Join(failures...)
}

// sleepUntil sleeps with the precision of the kernel's timers; that of the
// runtime's is a millisecond.
func sleepUntil(due time.Time) {
	if wait := time.Until(due); wait > 0 {
		duration := syscall.NsecToTimespec(wait.Nanoseconds())
		_ = syscall.Nanosleep(&duration, nil) // interrupted: a little early
	}
}

// flood sends as many requests as are answered, and gives how many a second.
func (l *loader) flood(ctx context.Context) (float64, error) {
	var connections sync.WaitGroup
	counts, failures := make([]int, loadConnections), make([]error, loadConnections)
	begin := time.Now()
	for c := range loadConnections {
		connections.Go(func() {
			for time.Since(begin) < floodDuration && failures[c] == nil {
				failures[c] = l.send(ctx, http.MethodPost, l.url, l.bodies[(c+counts[c]*loadConnections)%len(l.bodies)])
				counts[c]++
			}
		})
	}
	connections.Wait()
	sum := 0
	for _, count := range counts {
		sum += count
	}
	return float64(sum) / time.Since(begin).Seconds(), errors.Join(failures...)
}

func (l *loader) printTable(data string, singly, batched float64) error {
	var cells bytes.Buffer
	fmt.Fprintf(&cells, "%d requests/s of each for %.0f s, due at set times\tp50, ms\tp99, ms\tp99.9, ms\tmax, ms\n", loadRate, loadDuration.Seconds())
	for _, measured := range []struct {
		when string
		latencies
	}{{"", l.idle}, {", while a job trains", l.training}} {
		fmt.Fprintf(&cells, "POST /v1/classifications, a text of %s%s\t%s\n", data, measured.when, percentiles(measured.classifying))
		fmt.Fprintf(&cells, "GET /healthz%s\t%s\n", measured.when, percentiles(measured.answering))
	}
	fmt.Fprintf(&cells, "\t\t\t\t\nas many as it can on %d connections\ttexts/s\t\t\t\n", loadConnections)
	fmt.Fprintf(&cells, "a text a request\t%.0f\t\t\t\n", singly)
	fmt.Fprintf(&cells, "%d texts a request\t%.0f\t\t\t\n", loadBatch, batched)
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, err := table.Write(cells.Bytes())
	return errors.Join(err, table.Flush())
}

func percentiles(latencies []time.Duration) string {
	sorted := slices.Sorted(slices.Values(latencies))
	milliseconds := func(fraction float64) float64 {
		return sorted[min(int(fraction*float64(len(sorted))), len(sorted)-1)].Seconds() * 1000
	}
	return fmt.Sprintf("%.2f\t%.2f\t%.2f\t%.2f", milliseconds(0.5), milliseconds(0.99), milliseconds(0.999), milliseconds(1))
}
