package faults

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// scriptedFactory speaks the protocol and trains nothing: its jobs end how and
// when a test says.
type scriptedFactory struct {
	http.Handler

	mu    sync.Mutex
	files []mistral.File
	jobs  []*mistral.DetailedJob // oldest first
	cost  float64                // of each job
	// failures, if it is set, lets trainings end at once: so many fail, then all succeed.
	failures *int
}

func newScriptedFactory() *scriptedFactory {
	mux := http.NewServeMux()
	f := &scriptedFactory{Handler: mux}
	mux.HandleFunc("POST /v1/files", f.answer(f.uploadFile))
	mux.HandleFunc("GET /v1/files", f.answer(f.listFiles))
	mux.HandleFunc("DELETE /v1/files/{id}", f.answer(f.deleteFile))
	mux.HandleFunc("POST /v1/fine_tuning/jobs", f.answer(f.createJob))
	mux.HandleFunc("GET /v1/fine_tuning/jobs", f.answer(f.listJobs))
	mux.HandleFunc("GET /v1/fine_tuning/jobs/{id}", f.answer(f.changeJob("")))
	mux.HandleFunc("POST /v1/fine_tuning/jobs/{id}/start", f.answer(f.changeJob(mistral.JobRunning)))
	mux.HandleFunc("POST /v1/fine_tuning/jobs/{id}/cancel", f.answer(f.changeJob(mistral.JobCancelled)))
	return f
}

// answer writes what an operation gives as JSON; nil is 404.
func (f *scriptedFactory) answer(operate func(*http.Request) any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		body := operate(r)
		encoded, _ := json.Marshal(body)
		f.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		if body == nil {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write(encoded)
	}
}

func (f *scriptedFactory) uploadFile(r *http.Request) any {
	content, header, err := r.FormFile("file")
	if err != nil {
		return nil
	}
	size, _ := io.Copy(io.Discard, content)
	file := mistral.File{ID: uuid.NewString(), Object: mistral.ObjectFile, Bytes: size, Filename: header.Filename, CreatedAt: worldClock.Now().Unix()}
	f.files = append(f.files, file)
	return file
}

func (f *scriptedFactory) listFiles(r *http.Request) any {
	list := mistral.FileList{Object: mistral.ObjectList}
	for _, file := range f.files {
		if strings.Contains(file.Filename, r.URL.Query().Get("search")) {
			list.Data = append(list.Data, file)
		}
	}
	return list
}

func (f *scriptedFactory) deleteFile(r *http.Request) any {
	id := r.PathValue("id")
	f.files = slices.DeleteFunc(f.files, func(file mistral.File) bool { return file.ID == id })
	return mistral.DeletedFile{ID: id, Object: mistral.ObjectFile, Deleted: true}
}

func (f *scriptedFactory) createJob(r *http.Request) any {
	var request mistral.CreateJobRequest
	if json.NewDecoder(r.Body).Decode(&request) != nil {
		return nil
	}
	now := worldClock.Now().Unix()
	job := &mistral.DetailedJob{Job: mistral.Job{
		ID: uuid.NewString(), Object: mistral.ObjectJob, JobType: mistral.JobTypeClassifier,
		Model: request.Model, Suffix: request.Suffix, Status: mistral.JobValidated, CreatedAt: now, ModifiedAt: now,
		Metadata: &mistral.JobMetadata{Cost: new(f.cost), CostCurrency: new("EUR")},
	}}
	f.jobs = append(f.jobs, job)
	return job.Job
}

func (f *scriptedFactory) listJobs(r *http.Request) any {
	query := r.URL.Query()
	page, _ := strconv.Atoi(query.Get("page"))
	size, err := strconv.Atoi(query.Get("page_size"))
	if err != nil {
		size = 100
	}
	after, _ := time.Parse(time.RFC3339, query.Get("created_after"))
	list := mistral.JobList{Object: mistral.ObjectList}
	for _, job := range slices.Backward(f.jobs) {
		if suffix := query.Get("suffix"); (suffix == "" || suffix == *job.Suffix) && job.CreatedAt >= after.Unix() {
			list.Data = append(list.Data, job.Job)
		}
	}
	list.Total = int64(len(list.Data))
	list.Data = list.Data[min(page*size, len(list.Data)):min((page+1)*size, len(list.Data))]
	return list
}

// changeJob gives a job, in another state if there is one.
func (f *scriptedFactory) changeJob(state mistral.JobStatus) func(*http.Request) any {
	return func(r *http.Request) any {
		for _, job := range f.jobs {
			if job.ID == r.PathValue("id") {
				f.enter(job, state)
				return job
			}
		}
		return nil
	}
}

func (f *scriptedFactory) enter(job *mistral.DetailedJob, state mistral.JobStatus) {
	if state == "" || job.Status.Finished() {
		return
	}
	if state == mistral.JobRunning && f.failures != nil {
		state = mistral.JobSuccess
		if *f.failures > 0 {
			*f.failures--
			state = mistral.JobFailed
		}
	}
	job.Status, job.ModifiedAt = state, worldClock.Now().Unix()
	if state == mistral.JobSuccess {
		job.FineTunedModel = new("ft:classifier:ministral-3b-latest:00000000:20260101:" + job.ID[:8])
	}
}

// end ends every job that runs.
func (f *scriptedFactory) end(state mistral.JobStatus) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, job := range f.jobs {
		if job.Status == mistral.JobRunning {
			f.enter(job, state)
		}
	}
}

// endJob ends one job that runs.
func (f *scriptedFactory) endJob(id string, state mistral.JobStatus) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, job := range f.jobs {
		if job.ID == id {
			f.enter(job, state)
		}
	}
}

func (f *scriptedFactory) count(state mistral.JobStatus) (count int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, job := range f.jobs {
		if job.Status == state {
			count++
		}
	}
	return count
}
