package factory

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

func TestFilesExpire(t *testing.T) {
	var offset atomic.Int64
	s := startServer(t, func(c *Config) {
		c.FileLifetime = 24 * time.Hour
		c.Clock = func() time.Time { return time.Unix(1_800_000_000+offset.Load(), 0) }
	})
	client := s.client("alice-key")
	old := s.upload("old.jsonl", intents(40))
	if old.ExpiresAt == nil || *old.ExpiresAt != 1_800_000_000+24*3600 {
		t.Fatalf("expires at %v", old.ExpiresAt)
	}
	job := s.create(nil, old)
	s.await(job.ID, mistral.JobValidated)

	offset.Store(23 * 3600)
	renewed := s.upload("renewed.jsonl", intents(10))
	if again := s.upload("old.jsonl", intents(40)); again.ID != old.ID || *again.ExpiresAt != 1_800_000_000+47*3600 {
		t.Errorf("uploaded again: %s expires at %d; want the same file, kept as long as a new one", again.ID, *again.ExpiresAt)
	}
	expire := func() {
		t.Helper()
		if err := s.factory.store.RemoveExpiredFiles(t.Context(), s.factory.config.Clock()); err != nil {
			t.Fatal(err)
		}
	}
	offset.Store(25 * 3600)
	expire()
	if _, err := client.GetFile(t.Context(), old.ID); err != nil {
		t.Errorf("a renewed file expired: %v", err)
	}

	offset.Store(48 * 3600)
	expire()
	for _, id := range []string{old.ID, renewed.ID} {
		if _, err := client.GetFile(t.Context(), id); !mistral.IsNotFound(err) {
			t.Errorf("an expired file is there: %v", err)
		}
	}
	if left := blobNames(t, s); len(left) != 1 {
		t.Errorf("%d blobs, want that of the job that waits alone", len(left))
	}
	if _, err := client.StartJob(t.Context(), job.ID); err != nil {
		t.Fatal(err)
	}
	s.await(job.ID, mistral.JobSuccess)
	s.factory.queue.Close() // its files are released when its end is recorded already
	if left := blobNames(t, s); len(left) != 1 {
		t.Errorf("%d blobs, want the model alone", len(left))
	}
}

func TestUploadSaysWhenItExpires(t *testing.T) {
	const uploaded = 1_800_000_000
	for _, test := range []struct {
		reason   string
		lifetime time.Duration // the server's
		expiries []string      // of uploads of the same file, one after the other; "-": none
		hours    int64         // after which the file expires; 0: never
	}{
		{"files are kept", 0, []string{"-"}, 0},
		{"as the form says", 0, []string{"1"}, 1},
		{"the longest", 0, []string{"8760"}, 8760},
		{"sooner than others", 24 * time.Hour, []string{"2"}, 2},
		{"not later than others", 24 * time.Hour, []string{"48"}, 24},
		{"longer than before", 0, []string{"2", "3"}, 3},
		{"who was first counts on it", 0, []string{"3", "2"}, 3},
		{"who was first counts on it for ever", 0, []string{"-", "2"}, 0},
		{"no longer at all", 0, []string{"2", "-"}, 0},
	} {
		var offset atomic.Int64
		s := startServer(t, func(c *Config) {
			c.FileLifetime = test.lifetime
			c.Clock = func() time.Time { return time.Unix(uploaded+offset.Load(), 0) }
		})
		var file mistral.File
		for _, expiry := range test.expiries {
			var fields []string
			if expiry != "-" {
				fields = []string{"expiry", expiry}
			}
			contentType, body := form(t, "a.jsonl", intents(2), fields...)
			_, answer := s.requestAs("alice-key", "POST", "/v1/files", contentType, body)
			decode(t, answer, &file)
		}
		var seconds int64
		if file.ExpiresAt != nil {
			seconds = *file.ExpiresAt - uploaded
		}
		if seconds != test.hours*3600 {
			t.Errorf("%s: expires after %d seconds, want %d hours", test.reason, seconds, test.hours)
		}
		isThere := func() bool {
			if err := s.factory.store.RemoveExpiredFiles(t.Context(), s.factory.config.Clock()); err != nil {
				t.Fatal(err)
			}
			_, err := s.client("alice-key").GetFile(t.Context(), file.ID)
			return err == nil
		}
		if offset.Store(test.hours*3600 - 1); !isThere() {
			t.Errorf("%s: it expired early", test.reason)
		}
		offset.Store(test.hours * 3600)
		if never := test.hours == 0; isThere() != never || (len(blobNames(t, s)) > 0) != never {
			t.Errorf("%s: is it there after %d hours? it should be: %v", test.reason, test.hours, never)
		}
	}
}

// TestExpiredWhileClosed: what expired meanwhile is gone soon after the start.
func TestExpiredWhileClosed(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := startServer(t, func(c *Config) {
		c.FileLifetime = time.Hour
		c.Clock = func() time.Time { return now }
	})
	file := s.upload("a.jsonl", intents(2))
	s.close()
	now = now.Add(2 * time.Hour)
	s.open()
	client := s.client("alice-key")
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := client.GetFile(t.Context(), file.ID); mistral.IsNotFound(err) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the file is still there")
		}
	}
}

// TestJobsExpire: who has ended is forgotten, but for the model; who waits to be started
// for as long is cancelled, and told why.
func TestJobsExpire(t *testing.T) {
	var offset atomic.Int64
	s := startServer(t, func(c *Config) {
		c.JobLifetime = 24 * time.Hour
		c.Clock = func() time.Time { return time.Unix(1_800_000_000+offset.Load(), 0) }
	})
	client := s.client("alice-key")
	file := s.upload("a.jsonl", intents(60)) // enough for an evaluation
	made := s.await(s.create(autoStart, file).ID, mistral.JobSuccess)
	waiting := s.create(nil, file)
	s.await(waiting.ID, mistral.JobValidated)
	invalid := s.create(nil, s.upload("b.jsonl", "no JSON"))
	s.await(invalid.ID, mistral.JobFailedValidation)
	if err := client.DeleteFile(t.Context(), file.ID); err != nil {
		t.Fatal(err)
	}
	after := func(seconds int64) {
		t.Helper()
		offset.Store(seconds)
		if err := s.factory.expireJobs(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	after(24*3600 - 1)
	for _, id := range []string{made.ID, waiting.ID, invalid.ID} {
		if job, err := client.GetJob(t.Context(), id); err != nil || job.Status == mistral.JobCancelled {
			t.Errorf("a second early: %+v, %v", job, err)
		}
	}

	after(24 * 3600)
	for _, id := range []string{made.ID, invalid.ID} {
		if _, err := client.GetJob(t.Context(), id); !mistral.IsNotFound(err) {
			t.Errorf("a job that ended a lifetime ago: %v", err)
		}
	}
	job, err := client.GetJob(t.Context(), waiting.ID)
	if err != nil || job.Status != mistral.JobCancelled {
		t.Fatalf("a job that nobody started: %+v, %v", job, err)
	}
	if got, want := string(job.Events[len(job.Events)-1].Data), `"error":"Nobody has started the job within 24h0m0s of its validation. Create it again.","code":"NotStarted"`; !strings.Contains(got, want) {
		t.Errorf("its last event is %s, want %s", got, want)
	}
	if left := blobNames(t, s); len(left) != 2 {
		t.Errorf("%d blobs, want the model and the file that was not deleted", len(left))
	}
	if _, err := client.Classify(t.Context(), mistral.ClassifyRequest{Model: *made.FineTunedModel, Input: []string{"lamp"}}); err != nil {
		t.Errorf("the model is gone with its job: %v", err)
	}
	if card, err := client.GetModel(t.Context(), *made.FineTunedModel); err != nil || card.Job != made.ID {
		t.Errorf("the model's card: %+v, %v", card, err)
	}

	after(48 * 3600)
	if _, err := client.GetJob(t.Context(), waiting.ID); !mistral.IsNotFound(err) {
		t.Errorf("the cancelled job stays: %v", err)
	}
}
