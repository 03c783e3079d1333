package api

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestPatience(t *testing.T) {
	for _, test := range []struct {
		reason string
		every  time.Duration
		bytes  int
		ends   time.Duration // 0: not within the hour
	}{
		{"nothing comes", time.Hour, 0, 10 * time.Second},
		{"a byte now and then", 9 * time.Second, 1, 10 * time.Second},
		{"slow, but it moves", time.Second, senderPace, 0},
		{"half as fast", time.Second, senderPace / 2, 20 * time.Second},
		{"much at once, then nothing", 10 * time.Second, 1 << 30, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			started := time.Now()
			p := patience{left: senderPatience, most: senderPatience, pace: senderPace}
			ended := time.Duration(0)
			for time.Since(started) < time.Hour {
				begun, deadline := p.wait()
				if next := begun.Add(test.every); next.After(deadline) {
					ended = deadline.Sub(started)
					break
				}
				time.Sleep(test.every)
				p.moved(begun, test.bytes)
			}
			if ended.Round(time.Second) != test.ends {
				t.Errorf("%s: given up after %v, want %v", test.reason, ended, test.ends)
			}
		})
	}
	p := patience{left: time.Second, most: senderPatience, pace: senderPace}
	if p.moved(time.Now(), 1<<30); p.left > senderPatience {
		t.Errorf("who has sent much may rest for %v", p.left)
	}
}
