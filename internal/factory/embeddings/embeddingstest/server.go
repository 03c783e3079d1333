// Package embeddingstest has a server of POST /v1/embeddings as OpenAI has it, for tests. It
// knows each word by a vector that follows from its letters, and a text by their mean.
package embeddingstest

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Server is what tests change while it serves.
type Server struct {
	URL string
	// Requests and Texts count what was asked.
	Requests, Texts atomic.Int64
	// MostAtOnce is the largest number of requests that were under way.
	MostAtOnce atomic.Int64

	underWay  atomic.Int64
	mutex     sync.Mutex
	dimension int
	seed      uint64
	noise     float64
	key       string
	model     string
	before    func(w http.ResponseWriter, r *http.Request, texts []string) bool
}

// Start serves until the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{dimension: 64}
	served := httptest.NewServer(s)
	t.Cleanup(served.Close)
	s.URL = served.URL
	return s
}

// BecomeAnother changes all vectors.
func (s *Server) BecomeAnother(dimension int, seed uint64) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.dimension, s.seed = dimension, seed
}

// AddNoise changes last digits from request to request.
func (s *Server) AddNoise(noise float64) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.noise = noise
}

// Require refuses requests without a key, and those that ask for another model.
func (s *Server) Require(key, model string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.key, s.model = key, model
}

// Before is asked before each request is served; true says that it has answered.
func (s *Server) Before(before func(w http.ResponseWriter, r *http.Request, texts []string) bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.before = before
}

// Fail makes the server slow, and of so many requests has it refuse one and break off
// another.
func (s *Server) Fail(of int64) {
	var asked atomic.Int64
	s.Before(func(w http.ResponseWriter, _ *http.Request, _ []string) bool {
		time.Sleep(2 * time.Millisecond) //nolint:forbidigo // it is slow on purpose, by the wall's clock
		switch asked.Add(1) % of {
		case 3:
			w.Header().Set("Retry-After", "0")
			Refuse(w, http.StatusTooManyRequests)
			return true
		case 5:
			Drop(w)
		}
		return false
	})
}

// Refuse answers with the status and a body that nobody should see.
func Refuse(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprint(w, `{"error": {"message": "SECRET OF THE ENCODER", "type": "invalid_request_error", "param": null, "code": null}}`)
}

// Drop ends the connection without an answer.
func Drop(http.ResponseWriter) { panic(http.ErrAbortHandler) }

// request is as OpenAI documents it.
type request struct {
	Input          json.RawMessage `json:"input"`
	Model          string          `json:"model"`
	EncodingFormat string          `json:"encoding_format"`
	Dimensions     *int            `json:"dimensions"`
	User           string          `json:"user"`
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := s.underWay.Add(1)
	defer s.underWay.Add(-1)
	for most := s.MostAtOnce.Load(); now > most && !s.MostAtOnce.CompareAndSwap(most, now); most = s.MostAtOnce.Load() {
	}
	s.Requests.Add(1)
	s.mutex.Lock()
	before, key, model := s.before, s.key, s.model
	s.mutex.Unlock()
	var asked request
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if r.Method != http.MethodPost || r.URL.Path != "/v1/embeddings" {
		Refuse(w, http.StatusNotFound)
		return
	}
	if err := decoder.Decode(&asked); err != nil || r.Header.Get("Content-Type") != "application/json" {
		Refuse(w, http.StatusBadRequest)
		return
	}
	texts := inputs(asked.Input)
	if before != nil && before(w, r, texts) {
		return
	}
	switch {
	case key != "" && r.Header.Get("Authorization") != "Bearer "+key:
		Refuse(w, http.StatusUnauthorized)
	case asked.Model == "" || model != "" && asked.Model != model:
		Refuse(w, http.StatusNotFound)
	case len(texts) == 0:
		Refuse(w, http.StatusBadRequest)
	default:
		s.Texts.Add(int64(len(texts)))
		s.answer(w, &asked, texts)
	}
}

// inputs are a text or a list of them, none of which is empty.
func inputs(input json.RawMessage) []string {
	var texts []string
	var text string
	if json.Unmarshal(input, &text) == nil {
		texts = []string{text}
	} else if json.Unmarshal(input, &texts) != nil {
		return nil
	}
	for _, text := range texts {
		if text == "" {
			return nil
		}
	}
	return texts
}

func (s *Server) answer(w http.ResponseWriter, asked *request, texts []string) {
	data, tokens := []any{}, 0
	for i, text := range texts {
		vector := s.Vector(text)
		tokens += len(strings.Fields(text))
		var embedding any = vector
		if asked.EncodingFormat == "base64" {
			var bytes []byte
			for _, value := range vector {
				bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(value))
			}
			embedding = base64.StdEncoding.EncodeToString(bytes)
		}
		data = append(data, map[string]any{"object": "embedding", "embedding": embedding, "index": i})
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"object": "list", "data": data, "model": asked.Model,
		"usage": map[string]any{"prompt_tokens": tokens, "total_tokens": tokens},
	})
}

// Vector is what the server answers for a text.
func (s *Server) Vector(text string) []float32 {
	s.mutex.Lock()
	dimension, seed, noise := s.dimension, s.seed, s.noise
	s.mutex.Unlock()
	vector := make([]float32, dimension)
	words := strings.Fields(strings.ToLower(text))
	for _, word := range words {
		sum := fnv.New64a()
		_, _ = fmt.Fprint(sum, word)
		numbers := rand.New(rand.NewPCG(sum.Sum64(), seed))
		for i := range vector {
			vector[i] += float32(numbers.NormFloat64() / float64(len(words)))
		}
	}
	for i := range vector {
		vector[i] *= 1 + float32(noise*rand.NormFloat64())
	}
	return vector
}
