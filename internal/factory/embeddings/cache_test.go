package embeddings

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/embeddings/embeddingstest"
)

func TestWhatWasAnsweredIsNotAskedAgain(t *testing.T) {
	server, file := embeddingstest.Start(t), cacheFile(t)
	first := represented(t, open(t, Options{URL: server.URL}, NewCache(file, plenty)))
	before, err := first.Represent(t.Context(), sentences(50))
	if err != nil {
		t.Fatal(err)
	}
	e := open(t, Options{URL: server.URL}, NewCache(file, plenty)) // beside the other, which is open
	r := represented(t, e)
	server.Texts.Store(0)
	after, err := r.Represent(t.Context(), sentences(60))
	if err != nil || !slices.Equal(after[:len(before)], before) {
		t.Errorf("other vectors from the cache: %v", err)
	}
	if asked := server.Texts.Load(); asked != 11 { // with a probe
		t.Errorf("%d texts were asked for", asked)
	}
	check(t, server, sentences(60), after)
	if mode, err := os.Stat(file); err != nil || mode.Mode().Perm() != 0o600 {
		t.Errorf("others may read the cache: %v, %v", mode.Mode(), err)
	}
}

func TestTheCacheStaysWithinItsBound(t *testing.T) {
	server, file := embeddingstest.Start(t), cacheFile(t)
	server.BecomeAnother(1024, 0) // a kilobyte is a quarter of a vector
	const bound = 1 << 20
	e := open(t, Options{URL: server.URL}, NewCache(file, bound))
	r := represented(t, e)
	texts := sentences(600)
	if _, err := r.Represent(t.Context(), texts); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	held, err := os.Stat(file)
	if err != nil || held.Size() > bound*5/4 {
		t.Errorf("%d bytes for a bound of %d, %v", held.Size(), bound, err)
	}
	r = represented(t, open(t, Options{URL: server.URL}, NewCache(file, bound)))
	server.Texts.Store(0)
	if _, err := r.Represent(t.Context(), texts[500:]); err != nil || server.Texts.Load() > 0 {
		t.Errorf("%d of the latest texts were asked for again, %v", server.Texts.Load(), err)
	}
}

// TestADamagedCacheIsAskedForNothing is of a disk that forgets.
func TestADamagedCacheIsAskedForNothing(t *testing.T) {
	for _, test := range []struct {
		reason string
		damage func(t *testing.T, file string)
	}{
		{"the file is something else", func(t *testing.T, file string) {
			if err := os.WriteFile(file, []byte(strings.Repeat("no database", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"a vector has another bit", func(t *testing.T, file string) {
			change(t, file, `UPDATE vectors SET vector = x'ff' || substr(vector, 2)`)
		}},
		{"a vector is of another text", func(t *testing.T, file string) {
			change(t, file, `UPDATE vectors SET vector = (SELECT vector FROM vectors ORDER BY id LIMIT 1)`)
		}},
		{"a vector is shorter", func(t *testing.T, file string) {
			change(t, file, `UPDATE vectors SET vector = substr(vector, 1, 8)`)
		}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			server, file := embeddingstest.Start(t), cacheFile(t)
			e := open(t, Options{URL: server.URL}, NewCache(file, plenty))
			if _, err := represented(t, e).Represent(t.Context(), sentences(10)); err != nil {
				t.Fatal(err)
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			test.damage(t, file)
			r := represented(t, open(t, Options{URL: server.URL}, NewCache(file, plenty)))
			values, err := r.Represent(t.Context(), sentences(10))
			if err != nil {
				t.Fatal(err)
			}
			check(t, server, sentences(10), values)
		})
	}
}

func change(t *testing.T, file, statement string) {
	t.Helper()
	database, err := openCache(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = database.Close() })
	if _, err := database.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

func TestEncodersAreForgottenOnceThereAreMany(t *testing.T) {
	cache := NewCache(cacheFile(t), plenty)
	t.Cleanup(func() { _ = cache.Close() })
	for i := range 2 * maxEncoders {
		cache.recognise(t.Context(), numbered(i))
	}
	database, err := cache.open()
	if err != nil {
		t.Fatal(err)
	}
	var count int
	if err := database.QueryRow(`SELECT count(*) FROM encoders`).Scan(&count); err != nil || count != maxEncoders {
		t.Errorf("%d encoders, %v", count, err)
	}
}

// numbered are identities of different encoders.
func numbered(i int) *identity {
	var vectors [][]float32
	for p := range probes {
		vectors = append(vectors, make([]float32, 256))
		vectors[p][i] = 1
	}
	return newIdentity(vectors)
}

// cachingChild is the environment's name of the file that a child of the test caches in.
const cachingChild = "TEST_CACHE_OF_CHILD"

// known is what the child of the test keeps, which has no server.
var known = numbered(7)

func vectorOf(i int) []float32 {
	vector := make([]float32, known.dimension)
	for j := range vector {
		vector[j] = float32(i*len(vector) + j)
	}
	return vector
}

const childBatch = 10

// cacheForEver says after each batch that it is kept.
func cacheForEver(file string) {
	cache := NewCache(file, plenty)
	for first := 0; ; first += childBatch {
		texts, vectors := make([]string, childBatch), make([][]float32, childBatch)
		for i := range texts {
			texts[i], vectors[i] = fmt.Sprint("text ", first+i), vectorOf(first+i)
		}
		cache.put(context.Background(), known, texts, vectors)
		fmt.Println(first + childBatch)
	}
}

// TestKilledWhileCaching loses nothing that was kept, and finds no half of anything.
func TestKilledWhileCaching(t *testing.T) {
	file := cacheFile(t)
	for round := range 3 {
		child := exec.CommandContext(t.Context(), os.Args[0])
		child.Env = append(os.Environ(), cachingChild+"="+file)
		output, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		kept, lines := 0, bufio.NewScanner(output)
		for kept < 40*childBatch*(round+1) && lines.Scan() {
			if _, err := fmt.Sscan(lines.Text(), &kept); err != nil {
				t.Fatal(err)
			}
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait() // it was killed
		cache := NewCache(file, plenty)
		for i := range kept + 100*childBatch {
			vector := cache.get(t.Context(), known, fmt.Sprint("text ", i))
			if vector == nil && i < kept || vector != nil && !slices.Equal(vector, vectorOf(i)) {
				t.Fatalf("text %d of %d has the vector %.5v", i, kept, vector)
			}
		}
		if err := cache.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
