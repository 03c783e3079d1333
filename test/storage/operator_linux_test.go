package storage

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/test/objectservers"
)

const apiKey = "a-key-of-this-test"

// TestThroughTheOperator brings objects from S3 to the factory, with operator and factory
// as the processes that they are.
func TestThroughTheOperator(t *testing.T) {
	s := newS3Store(t)
	plane := controllertest.StartForTest(t, filepath.Join("..", ".."))
	namespace := plane.NewNamespace(t)
	namespace.Create(&corev1.Secret{ObjectMeta: namespace.ObjectMeta("storage"), StringData: s.secret})
	start := newOperator(t, plane.KubeConfig)
	t.Run("a large table", func(t *testing.T) { bringParquet(t, s, namespace, start(t)) })
	t.Run("a large object", func(t *testing.T) { bringLargeObject(t, s, namespace, start(t)) })
	t.Run("parts of CSV", func(t *testing.T) {
		start(t)
		bringParts(t, s, namespace)
	})
}

// bringLargeObject looks at the operator's resident memory.
func bringLargeObject(t *testing.T, s *store, namespace *controllertest.Namespace, operator int) {
	const (
		size    = 300 << 20
		allowed = 64 << 20
	)
	if err := s.put(t.Context(), "large.jsonl", io.NewSectionReader(rows{}, 0, size), ""); err != nil {
		t.Fatal(err)
	}
	dataset := &classifierv1alpha1.ClassifierDataset{ObjectMeta: namespace.ObjectMeta("large")}
	dataset.Spec.Source.ObjectStorage = s.spec("large.jsonl")
	before := memoryOf(t, operator, "VmRSS")
	namespace.Create(dataset)
	namespace.Await(dataset, "the upload", func() bool { return isReady(dataset) })
	rise := memoryOf(t, operator, "VmHWM") - before
	t.Logf("%d samples, %d bytes; the operator's memory rose by %d MB from %d MB", dataset.Status.Samples.Total, dataset.Status.Files[0].SizeBytes, rise>>20, before>>20)
	if got := dataset.Status.Files[0].SizeBytes; got != size {
		t.Errorf("%d bytes of %d were uploaded", got, size)
	}
	if rise > allowed {
		t.Errorf("the operator's memory rose by %d MB, more than %d", rise>>20, allowed>>20)
	}
}

// bringParts brings parts that agree, and parts of which one is cut off or lacks a column.
func bringParts(t *testing.T, s *store, namespace *controllertest.Namespace) {
	good := "text,label\n" + strings.Repeat("Where is it,track\nMoney back,refund\n", 20)
	for _, test := range []struct {
		name, second string
		says         string
	}{
		{"another-order", "label,text\n" + strings.Repeat("track,Has it shipped\n", 10), ""},
		{"cut-off", good + "\"cut off here", "part b.csv, line 42: UnclosedQuote"},
		{"another-header", "id,text,label\n1,Hi,track\n", `part b.csv, line 1: DifferentHeader: the header has the columns "id", "text", "label"; that of part a.csv has "text", "label"`},
	} {
		s.fill(t, test.name+"/a.csv", good)
		s.fill(t, test.name+"/b.csv", test.second)
		s.fill(t, test.name+"/c.csv", good)
		dataset := &classifierv1alpha1.ClassifierDataset{ObjectMeta: namespace.ObjectMeta(test.name)}
		dataset.Spec.Source.ObjectStorage = s.spec(test.name + "/")
		dataset.Spec.CSV = &classifierv1alpha1.CSVOptions{TextColumn: "text", LabelColumns: []classifierv1alpha1.CSVLabelColumn{{Column: "label"}}}
		dataset.Spec.Preparation.InvalidSamples = classifierv1alpha1.InvalidSamplesSkip
		dataset.Spec.Preparation.MaxInvalidPercent = new(int32(100))
		namespace.Create(dataset)
		if test.says == "" {
			namespace.Await(dataset, "the upload", func() bool { return isReady(dataset) })
			labels := dataset.Status.Targets[0].Labels
			if len(labels) != 2 || labels[0].Samples != 40 || labels[1].Samples != 50 {
				t.Errorf("%s: the labels are %+v", test.name, labels)
			}
			continue
		}
		namespace.Await(dataset, "the refusal", func() bool {
			return strings.Contains(controllertest.Condition(dataset, classifierv1alpha1.ConditionReady).Message, test.says)
		})
	}
}

func isReady(dataset *classifierv1alpha1.ClassifierDataset) bool {
	return controllertest.Condition(dataset, classifierv1alpha1.ConditionReady).Status == metav1.ConditionTrue
}

// newOperator starts a factory. What it returns starts an operator with it until the end of
// a test, and gives its process: each has its own, because the most memory is looked at
// that a process ever had.
func newOperator(t *testing.T, kubeconfig []byte) func(t *testing.T) int {
	t.Helper()
	directory := t.TempDir()
	path := filepath.Join(directory, "kubeconfig")
	if err := os.WriteFile(path, kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	factory, err := objectservers.Start(build(t, directory, "factory", "./cmd/factory"), func(port string) []string {
		return []string{"--listen=127.0.0.1:" + port, "--metrics-listen=127.0.0.1:0", "--data-dir=" + filepath.Join(directory, "factory-data")}
	}, "FACTORY_API_KEY="+apiKey)
	if err != nil {
		t.Fatal(err)
	}
	manager := build(t, directory, "manager", ".")
	return func(t *testing.T) int {
		operator, err := objectservers.Start(manager, func(port string) []string {
			return []string{"--server-url=http://" + factory.Address, "--storage-private-hosts=127.0.0.1", "--health-probe-bind-address=127.0.0.1:" + port}
		}, "MISTRAL_API_KEY="+apiKey, "KUBECONFIG="+path)
		if err != nil {
			t.Fatal(err)
		}
		// The API server does not end while somebody watches.
		t.Cleanup(operator.Stop)
		return operator.Pid()
	}
}

// build leaves out what only debuggers need: that halves the time.
func build(t *testing.T, directory, name, folder string) string {
	t.Helper()
	binary := filepath.Join(directory, name)
	command := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", binary, folder)
	command.Dir = filepath.Join("..", "..")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return binary
}

// memoryOf reads a figure of a process in bytes: VmRSS is its resident memory,
// VmHWM the most that ever was.
func memoryOf(t *testing.T, process int, figure string) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		if fields[0] != figure+":" {
			continue
		}
		kilobytes, err := strconv.Atoi(fields[1])
		if err != nil {
			t.Fatal(err)
		}
		return kilobytes << 10
	}
	t.Fatalf("%s is not among a process's figures", figure)
	return 0
}

// rowLength is that of the rows, with their line ends. It divides a megabyte.
const rowLength = 256

// rows is an endless file of samples that all differ.
type rows struct{}

func (rows) ReadAt(p []byte, offset int64) (int, error) {
	for written := 0; written < len(p); {
		at := offset + int64(written)
		row := fmt.Sprintf(`{"text": "question %d about an order that did not arrive", "labels": {"intent": "intent-%d"}, "padding": "`, at/rowLength, at/rowLength%50)
		row += strings.Repeat("x", rowLength-len(row)-len("\"}\n")) + "\"}\n"
		written += copy(p[written:], row[at%rowLength:])
	}
	return len(p), nil
}
