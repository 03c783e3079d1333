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
	const labels, inputs, most = 60, 40_000, 300 << 20
	n := start(t)
	model, err := n.hostile.train(t.Context(), jobRequest(n.hostile.mustUpload("rows.jsonl",
		strings.ReplaceAll(rows(2*labels, labels), "label_", strings.Repeat("l", 240)+"_"))))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ path, input string }{
		{"/v1/classifications", `""`},
		{"/v1/chat/classifications", `{"messages":[{"role":"user"}]}`},
	} {
		body := `{"model": "` + model + `", "input": [` + strings.Repeat(test.input+",", inputs) + test.input + `]}`
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
func latencies(places ...*neighbourhood) (p99 []time.Duration) {
	const number = 300
	taken := make([][]time.Duration, len(places))
	for range number {
		for place, n := range places {
			started := time.Now()
			if err := n.good.classify(n.t.Context(), n.model, "please do what number 7 says"); err != nil {
				n.t.Fatal(err)
			}
			taken[place] = append(taken[place], time.Since(started))
			time.Sleep(2 * time.Millisecond)
		}
	}
	for _, times := range taken {
		slices.Sort(times)
		p99 = append(p99, times[number*99/100])
	}
	return p99
}

// TestFloods of classifications leave a stranger's as fast as anybody can tell.
func TestFloods(t *testing.T) {
	const promised = 20 * time.Millisecond
	n, elsewhere := start(t), start(t)
	ofTexts, err := n.hostile.train(t.Context(), jobRequest(n.hostile.mustUpload("rows.jsonl", rows(400, 20))))
	if err != nil {
		t.Fatal(err)
	}
	ofConversations, err := n.hostile.train(t.Context(), jobRequest(n.hostile.mustUpload("conversations.jsonl", conversations(400, 20))))
	if err != nil {
		t.Fatal(err)
	}
	texts := make([]string, 20_000)
	for i := range texts {
		texts[i] = fmt.Sprintf("please do what number %d says, and the next one", i)
	}
	long := strings.Repeat("please do what number 7 says. ", 300_000)
	type message map[string]any
	said := func(content any) any {
		return map[string]any{"messages": []message{{"role": "user", "content": content}}}
	}
	const path, chatPath = "/v1/classifications", "/v1/chat/classifications"
	for _, test := range []struct {
		reason      string
		clients     int
		path, model string
		input       any
	}{
		{"many texts", 16, path, ofTexts, texts},
		{"one text", 16, path, ofTexts, texts[:1]},
		{"one long text", 4, path, ofTexts, long},
		{"one long text, read as a conversation", 4, path, ofConversations, long},
		{"one long message", 4, chatPath, ofConversations, said(long)},
		{"one long message, read as a text", 4, chatPath, ofTexts, said(long)},
		{"one message of long parts", 4, chatPath, ofConversations, said([]message{{"type": "text", "text": long[:len(long)/2]}, {"type": "text", "text": long[len(long)/2:]}})},
	} {
		body, err := json.Marshal(map[string]any{"model": test.model, "input": test.input})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		flooding := n.hostile.flood(ctx, test.clients, http.MethodPost, test.path, body, func(response *http.Response) {
			if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusTooManyRequests && ctx.Err() == nil {
				t.Errorf("%s: %s", test.reason, response.Status)
			}
		})
		time.Sleep(200 * time.Millisecond)
		var p99 []time.Duration
		held := false
		for try := 0; try < 3 && !held; try++ {
			p99 = latencies(n, elsewhere)
			held = p99[0] <= max(promised, 4*p99[1]) // the other process says how busy the machine is
			t.Logf("beside requests of %s: p99 %v, in another process %v", test.reason, p99[0], p99[1])
		}
		stop()
		flooding.Wait()
		if !held {
			t.Errorf("beside requests of %s: p99 %v, in another process %v", test.reason, p99[0], p99[1])
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
