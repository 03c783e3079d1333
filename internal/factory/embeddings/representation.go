package embeddings

import (
	"bytes"
	"context"
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"
)

const (
	// batchTexts and batchBytes are the most that one request has. Text Embeddings
	// Inference takes 32 texts unless it is told otherwise; one of them is a probe.
	batchTexts = 31
	batchBytes = 64 << 10
	// textBytes is the most of a text that is sent: encoders read less.
	textBytes = 8 << 10
	// fewestBytes is what no encoder finds too long.
	fewestBytes = 256
)

// Representation makes vectors of texts by an encoder as it was when it was asked for.
type Representation struct {
	encoder  *Encoder
	identity *identity
	patience Patience
}

// Dimension is the length of a vector.
func (r *Representation) Dimension() int { return r.identity.dimension }

// Digest is that of the fingerprint.
func (r *Representation) Digest() string { return r.identity.digest }

// Fingerprint is what the encoder is recognised by.
func (r *Representation) Fingerprint() string {
	return base64.StdEncoding.EncodeToString(r.identity.fingerprint)
}

// recognises reports whether a fingerprint is that of this encoder.
func (r *Representation) recognises(fingerprint string) bool {
	decoded, err := base64.StdEncoding.DecodeString(fingerprint)
	if err != nil {
		return false
	}
	if bytes.Equal(decoded, r.identity.fingerprint) { // as it is wherever the cache was kept
		return true
	}
	other := readIdentity(decoded)
	return other != nil && r.identity.same(other)
}

// Represent returns the vectors of the texts, one after the other. Those of empty ones are
// zero. The encoder is asked about what the cache does not have.
func (r *Representation) Represent(ctx context.Context, texts []string) ([]float32, error) {
	values := make([]float32, len(texts)*r.identity.dimension)
	missing := r.fromCache(ctx, texts, values)
	group, asking := errgroup.WithContext(ctx)
	group.SetLimit(requestsAtOnce)
	for len(missing) > 0 && asking.Err() == nil {
		batch := missing[:batchLength(missing)]
		missing = missing[len(batch):]
		group.Go(func() error { return r.representBatch(asking, batch, values) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return values, context.Cause(ctx)
}

// wantedText is one that the cache does not have.
type wantedText struct {
	text   string
	places []int // among the texts
}

// fromCache fills in what is known, and returns the rest, each text once.
func (r *Representation) fromCache(ctx context.Context, texts []string, values []float32) []*wantedText {
	var missing []*wantedText
	seen := map[string]*wantedText{}
	for i, text := range texts {
		text = cut(strings.TrimSpace(text), textBytes)
		if text == "" {
			continue
		}
		if again := seen[text]; again != nil {
			again.places = append(again.places, i)
			continue
		}
		if vector := r.encoder.cache.get(ctx, r.identity, text); vector != nil {
			copy(values[i*len(vector):], vector)
			r.encoder.metrics.cached.Inc()
			continue
		}
		seen[text] = &wantedText{text, []int{i}}
		missing = append(missing, seen[text])
	}
	return missing
}

// batchLength is how many of the texts go into one request.
func batchLength(texts []*wantedText) int {
	size := 0
	for i, wanted := range texts {
		size += len(wanted.text)
		if i == batchTexts || i > 0 && size > batchBytes {
			return i
		}
	}
	return len(texts)
}

// representBatch asks for the vectors of some texts, and keeps them.
func (r *Representation) representBatch(ctx context.Context, batch []*wantedText, values []float32) error {
	limited, cancel := r.patience.limit(ctx)
	defer cancel()
	texts := make([]string, len(batch))
	for i, wanted := range batch {
		texts[i] = wanted.text
	}
	vectors, err := r.askFitting(limited, texts)
	if err != nil {
		return err
	}
	r.encoder.metrics.asked.Add(float64(len(batch)))
	r.encoder.cache.put(ctx, r.identity, texts, vectors)
	for i, wanted := range batch {
		for _, place := range wanted.places {
			copy(values[place*r.identity.dimension:], vectors[i])
		}
	}
	return nil
}

// askFitting asks about fewer texts, and then about shorter ones, as long as the server
// finds it too much: what it takes differs, and none of them says.
func (r *Representation) askFitting(ctx context.Context, texts []string) ([][]float32, error) {
	vectors, err := r.askProbed(ctx, texts)
	switch {
	case !tooMuch(err):
		return vectors, err
	case len(texts) > 1:
		first, err := r.askFitting(ctx, texts[:len(texts)/2])
		if err != nil {
			return nil, err
		}
		second, err := r.askFitting(ctx, texts[len(texts)/2:])
		return append(first, second...), err
	case len(texts[0]) > fewestBytes:
		return r.askFitting(ctx, []string{cut(texts[0], max(len(texts[0])/2, fewestBytes))})
	}
	return nil, err
}

// askProbed sends a probe with the texts: the answer itself proves by it whose it is,
// whatever happens to a server, or to one of several, between two requests.
func (r *Representation) askProbed(ctx context.Context, texts []string) ([][]float32, error) {
	vectors, err := r.encoder.ask(ctx, append([]string{probes[0]}, texts...), r.patience)
	if err != nil {
		return nil, err
	}
	if !similar(vectors[0], r.identity.probes[0]) {
		r.encoder.forget(r.identity)
		return nil, &ChangedError{Host: r.encoder.host}
	}
	return vectors[1:], nil
}

// cut returns the first bytes of a text, as far as they are whole characters.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}
