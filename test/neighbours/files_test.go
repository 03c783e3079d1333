package neighbours

import (
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// onDisk is how much the factory keeps.
func (n *neighbourhood) onDisk() (bytes int64) {
	n.t.Helper()
	_ = filepath.WalkDir(n.directory, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil // it has gone meanwhile
		}
		if info, err := entry.Info(); err == nil {
			bytes += info.Size()
		}
		return nil
	})
	return bytes
}

// TestFilesUnderWay count, although their end has not come.
func TestFilesUnderWay(t *testing.T) {
	const quota, each, files = 1 << 20, 16 << 20, 10
	n := start(t, fmt.Sprintf("--tenant-file-bytes=%d", quota))
	before := n.onDisk()
	content := "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"large.jsonl\"\r\n\r\n" + strings.Repeat("x", each)
	var sending sync.WaitGroup
	for range files {
		socket := n.open("hostile-key", "POST /v1/files", 2*each)
		sending.Go(func() { socket.send(content) })
	}
	sending.Wait()
	if more := n.onDisk() - before; more > 2*quota {
		t.Errorf("files of which no end has come take %d bytes in a quota of %d", more, quota)
	}
	n.holdGood("beside files under way")
}

// TestFileNamedOften is a job whose texts are a thousand times one file.
func TestFileNamedOften(t *testing.T) {
	n := start(t)
	row := `{"text": "%d ` + strings.Repeat("some words that fill a row ", 40) + `", "labels": {"intent": "%d"}}` + "\n"
	var content strings.Builder
	for i := 0; content.Len() < 4<<20; i++ {
		fmt.Fprintf(&content, row, i, i%7)
	}
	file := n.hostile.mustUpload("large.jsonl", content.String())
	request := jobRequest(file)
	for range 999 {
		request.TrainingFiles = append(request.TrainingFiles, mistral.TrainingFile{FileID: file.ID, Weight: 1})
	}
	if _, err := n.hostile.client.CreateJob(t.Context(), request); err != nil {
		t.Logf("refused: %v", err)
	}
	for range 4 { // it would take some seconds to fill the memory
		n.holdGood("beside a job that names a file a thousand times")
		time.Sleep(2 * time.Second)
	}
}

// TestManyInputs of jobs that wait for ever are looked through by nobody.
func TestManyInputs(t *testing.T) {
	const inputs, jobs, atOnce = 500, 100, 8
	n := start(t)
	files := make([]*mistral.File, inputs)
	each(atOnce, inputs, func(i int) {
		files[i], _ = n.hostile.upload(t.Context(), fmt.Sprintf("%d.jsonl", i), rows(2, 2))
	})
	each(atOnce, jobs, func(int) {
		request := jobRequest(files[0])
		request.AutoStart = false
		for _, file := range files[1:] {
			request.TrainingFiles = append(request.TrainingFiles, mistral.TrainingFile{FileID: file.ID, Weight: 1})
		}
		_, _ = n.hostile.client.CreateJob(t.Context(), request)
	})
	n.holdGood("beside many jobs of many files")
}

// each does something so many times, a few at once.
func each(atOnce, times int, do func(i int)) {
	numbers := make(chan int)
	var workers sync.WaitGroup
	for range atOnce {
		workers.Go(func() {
			for i := range numbers {
				do(i)
			}
		})
	}
	for i := range times {
		numbers <- i
	}
	close(numbers)
	workers.Wait()
}

// TestLargeLabels: what a job keeps counts, and is not read for a list.
func TestLargeLabels(t *testing.T) {
	const jobs, lists, atOnce = 60, 24, 8
	n := start(t)
	file := n.hostile.mustUpload("rows.jsonl", rows(40, 4))
	labels := make([]string, 4000)
	for i := range labels {
		labels[i] = fmt.Sprintf("%d %s", i, strings.Repeat("l", 230))
	}
	each(atOnce, jobs, func(int) {
		request := jobRequest(file)
		request.ClassifierTargets = []mistral.ClassifierTarget{{Name: "intent", Labels: labels}}
		_, _ = n.hostile.client.CreateJob(t.Context(), request)
	})
	each(lists, lists, func(int) {
		n.hostile.try(t.Context(), http.MethodGet, "/v1/fine_tuning/jobs?page_size=1000", nil)
	})
	n.holdGood("beside lists of jobs with many labels")
}
