package neighbours

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestHugeAnswers to small requests.
func TestHugeAnswers(t *testing.T) {
	const labels, most = 500, 300 << 20
	n := start(t)
	model, err := n.hostile.train(t.Context(), jobRequest(n.hostile.mustUpload("rows.jsonl",
		strings.ReplaceAll(rows(2*labels, labels), "label_", strings.Repeat("l", 220)+"_"))))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ path, input string }{
		{"/v1/classifications", `""`},
		{"/v1/chat/classifications", `{"messages":[{"role":"user"}]}`},
	} {
		body := `{"model": "` + model + `", "input": [` + strings.Repeat(test.input+",", 20_000) + test.input + `]}`
		response, err := n.hostile.send(t.Context(), http.MethodPost, test.path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		size, _ := io.Copy(io.Discard, io.LimitReader(response.Body, most))
		response.Body.Close()
		if size >= most {
			t.Errorf("%s: %d bytes are answered with more than %d", test.path, len(body), most)
		}
	}
	n.holdGood("after requests for huge answers")
}

// flood sends a request again and again, from so many clients, until the context ends.
func (c *tenant) flood(ctx context.Context, clients int, method, path string, body []byte, answered func(*http.Response)) *sync.WaitGroup {
	var flooding sync.WaitGroup
	for range clients {
		flooding.Go(func() {
			for ctx.Err() == nil {
				response, err := c.send(ctx, method, path, "application/json", bytes.NewReader(body))
				if err != nil {
					continue
				}
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
				answered(response)
			}
		})
	}
	return &flooding
}

// latencies classifies a text again and again.
func (n *neighbourhood) latencies(number int) (p50, p99 time.Duration) {
	n.t.Helper()
	taken := make([]time.Duration, number)
	for i := range taken {
		started := time.Now()
		if err := n.good.classify(n.t.Context(), n.model, "please do what number 7 says"); err != nil {
			n.t.Fatal(err)
		}
		taken[i] = time.Since(started)
		time.Sleep(5 * time.Millisecond)
	}
	slices.Sort(taken)
	return taken[number/2], taken[number*99/100]
}

// TestFloods of classifications leave a stranger's as fast as anybody can tell.
func TestFloods(t *testing.T) {
	const requests, promised = 300, 20 * time.Millisecond
	n := start(t)
	texts := make([]string, 20_000)
	for i := range texts {
		texts[i] = fmt.Sprintf("please do what number %d says, and the next one", i)
	}
	body := func(texts ...string) []byte {
		encoded, err := json.Marshal(map[string]any{"model": n.model, "input": texts})
		if err != nil {
			t.Fatal(err)
		}
		return encoded
	}
	model, err := n.hostile.train(t.Context(), jobRequest(n.hostile.mustUpload("rows.jsonl", rows(400, 20))))
	if err != nil {
		t.Fatal(err)
	}
	_, alone := n.latencies(requests)
	n.model, model = model, n.model // the bodies are of the hostile one's
	floods := []struct {
		reason  string
		clients int
		body    []byte
	}{
		{"many texts", 16, body(texts...)},
		{"one text", 16, body(texts[0])},
		{"one long text", 4, body(strings.Repeat("please do what number 7 says. ", 300_000))},
	}
	n.model = model
	for _, test := range floods {
		ctx, stop := context.WithCancel(t.Context())
		flooding := n.hostile.flood(ctx, test.clients, http.MethodPost, "/v1/classifications", test.body, func(*http.Response) {})
		time.Sleep(200 * time.Millisecond)
		p50, p99 := n.latencies(requests)
		stop()
		flooding.Wait()
		t.Logf("beside a flood of requests of %s: p50 %v, p99 %v (alone %v)", test.reason, p50, p99, alone)
		if p99 > max(promised, 4*alone) { // alone, it says how busy the machine is
			t.Errorf("beside a flood of requests of %s: p99 %v, alone %v", test.reason, p99, alone)
		}
	}
	n.holdGood("after floods")
}

// TestRates: a flood is told what to do.
func TestRates(t *testing.T) {
	n := start(t)
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	var once sync.Once
	var told *http.Response
	n.hostile.flood(ctx, 16, http.MethodGet, "/v1/models/none", nil, func(response *http.Response) {
		if response.StatusCode == http.StatusTooManyRequests {
			once.Do(func() { told = response; stop() })
		}
	}).Wait()
	if told == nil || told.Header.Get("Retry-After") == "" {
		t.Errorf("a flood is answered with %+v", told)
	}
	n.holdGood("after a flood")
}
