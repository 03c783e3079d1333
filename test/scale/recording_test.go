package scale

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// statusColumn is the one that is never blank.
const statusColumn = "Status"

// recorded are the kinds whose rows a recording has.
var recorded = []string{"classifierdatasets", "classifiertrainingjobs"}

// recording is what `kubectl get -A -w` shows of both kinds.
type recording struct {
	end     context.CancelFunc
	working sync.WaitGroup
	shown   []*bytes.Buffer // by kubectl, one for each kind: it watches one at a time

	mu       sync.Mutex
	rows     int
	problems []string
}

// record begins a recording. The rows are looked at as the API server makes them for
// kubectl, which does not show where a blank cell is.
func (i *installation) record(t *testing.T) *recording {
	t.Helper()
	config, err := clientcmd.RESTConfigFromKubeConfig(i.KubeConfig)
	if err != nil {
		t.Fatal(err)
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(kubeconfig, i.KubeConfig, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	r := &recording{end: end}
	for _, kind := range recorded {
		rows, err := watchRows(ctx, client, config.Host, kind)
		if err != nil {
			t.Fatal(err)
		}
		r.working.Go(func() {
			defer rows.Body.Close()
			r.look(kind, json.NewDecoder(rows.Body))
		})
		kubectl := exec.CommandContext(ctx, filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"),
			"--kubeconfig", kubeconfig, "--cache-dir", t.TempDir(), "get", kind, "-A", "-w")
		shown := &bytes.Buffer{}
		kubectl.Stdout, kubectl.Stderr = shown, shown
		if err := kubectl.Start(); err != nil {
			t.Fatal(err)
		}
		r.shown = append(r.shown, shown)
		r.working.Go(func() { _ = kubectl.Wait() }) // it is killed
	}
	t.Cleanup(r.stop)
	return r
}

func watchRows(ctx context.Context, client *http.Client, server, kind string) (*http.Response, error) {
	path := fmt.Sprintf("%s/apis/%s/%s?watch=true", server, classifierv1alpha1.GroupVersion, kind)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io")
	return client.Do(request)
}

// look looks at the rows until the recording ends.
func (r *recording) look(kind string, rows *json.Decoder) {
	status := -1
	for {
		var event struct{ Object metav1.Table }
		if rows.Decode(&event) != nil {
			return
		}
		for i, column := range event.Object.ColumnDefinitions { // only the first event has them
			if column.Name == statusColumn {
				status = i
			}
		}
		for _, row := range event.Object.Rows {
			r.see(kind, status, row.Cells)
		}
	}
}

func (r *recording) see(kind string, status int, cells []any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rows++
	switch {
	case status < 0:
		r.problems = append(r.problems, fmt.Sprintf("%s have no column %s", kind, statusColumn))
	case cells[status] == nil || cells[status] == "":
		r.problems = append(r.problems, fmt.Sprintf("%s: blank in %v", kind, cells))
	}
}

func (r *recording) stop() {
	r.end()
	r.working.Wait()
}

// verdict ends the recording, shows it, and says whether a row was blank.
func (r *recording) verdict(t *testing.T) {
	t.Helper()
	r.stop()
	for _, shown := range r.shown {
		t.Logf("kubectl get -A -w\n%s", shown)
	}
	if r.rows == 0 {
		t.Error("nothing was recorded")
	}
	if len(r.problems) > 0 {
		t.Errorf("%d of %d rows are blank, the first: %s", len(r.problems), r.rows, r.problems[0])
	}
}
