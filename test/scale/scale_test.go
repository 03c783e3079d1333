package scale

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

const (
	tenants = 20 // namespaces
	// wave is how many datasets, and how many jobs, are applied at once: as many jobs
	// as the factory lets a tenant have under way.
	wave = 1000
	// waves are what the operator that is restarted finds: ten thousand objects.
	waves = 5
	// appliers apply at a time.
	appliers = 16
	// watched is how long jobs are polled, after the pauses between two looks have grown.
	watched = 2 * time.Minute
	// quiet is how long nothing is reconciled once all is done.
	quiet = 10 * time.Second
)

// row is what a part costs the operator. What was not measured is empty.
type row struct {
	what, wall, cpu, memory, calls, writes, look, action string
}

// BenchmarkScale measures the operator with many objects, and prints a table. It is
// not repeated: `make scale` runs it once.
func BenchmarkScale(b *testing.B) {
	rows := []row{{"", "wall", "CPU", "peak memory", "calls", "writes", "calls a look", "first action"}}
	rows = append(rows, measureWaves(b)...)
	rows = append(rows, measurePolling(b),
		row{what: "Flux 2.6: 1000 Kustomizations, on 16 cores", wall: "4m16s", memory: "175 MiB"})
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, r := range rows {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", r.what, r.wall, r.cpu, r.memory, r.calls, r.writes, r.look, r.action)
	}
	_ = table.Flush()
	fmt.Println("Calls to the factory and writes to the API server are for each object; CPU and memory are the operator's.")
}

// measureWaves applies everything at once, then more, and restarts the operator when
// all of it has ended.
func measureWaves(b *testing.B) []row {
	site := startSite(b)
	site.startFactory(b)
	operator := site.startOperator(b, site.factoryURL)
	namespaces := newTenants(b, site)

	began := time.Now()
	site.apply(b, newWave(namespaces, 0))
	operator.await(b, "all to be Ready", func(f figures) bool { return f.ready >= 2*wave })
	took, spent := time.Since(began), operator.figures(b)
	applied := row{
		what:   fmt.Sprintf("%d datasets and %d jobs, applied at once", wave, wave),
		wall:   took.Round(time.Second).String(),
		cpu:    spent.cpu.Round(time.Second).String(),
		memory: megabytes(operator.PeakMemory(b)),
		calls:  fmt.Sprintf("%.1f", spent.calls/(2*wave)),
		writes: fmt.Sprintf("%.1f", spent.writes/(2*wave)),
	}
	for n := 1; n < waves; n++ {
		site.apply(b, newWave(namespaces, n))
		operator.await(b, "all to be Ready", func(f figures) bool { return f.ready >= float64(2*wave*(n+1)) })
	}
	operator.End(b, syscall.SIGTERM)
	return []row{applied, measureRestart(b, site)}
}

// measureRestart starts an operator that finds everything finished, but for a new dataset.
func measureRestart(b *testing.B, site *installation) row {
	namespace := site.NewNamespace(b)
	created := newDataset(namespace, "new")
	namespace.Create(created)
	began := time.Now()
	operator := site.startOperator(b, site.factoryURL)
	namespace.Await(created, "the first action", func() bool {
		observed := created.Status.ObservedGeneration
		return observed != nil && *observed == created.Generation
	})
	action := time.Since(began)
	spent := operator.awaitQuiet(b)
	return row{
		what:   fmt.Sprintf("%d finished objects, operator restarted", 2*wave*waves),
		wall:   (time.Since(began) - quiet).Round(time.Second).String(),
		cpu:    spent.cpu.Round(100 * time.Millisecond).String(),
		memory: megabytes(operator.PeakMemory(b)),
		writes: fmt.Sprintf("%.0f in all", spent.writes),
		look:   fmt.Sprintf("%.0f", spent.calls),
		action: action.Round(10 * time.Millisecond).String(),
	}
}

// measurePolling holds as many jobs running as a tenant may have.
func measurePolling(b *testing.B) row {
	site := startSite(b)
	site.startFactory(b)
	counted := countCalls(b, serveEndless(b, site.factoryURL))
	operator := site.startOperator(b, counted.url)
	site.apply(b, newWave(newTenants(b, site), 0))
	operator.await(b, "all to run", func(f figures) bool { return f.jobs[string(mistral.JobRunning)] >= wave })
	operator.awaitQuiet(b)

	before := operator.figures(b)
	callsBefore, looksBefore := counted.all()
	time.Sleep(watched)
	spent := operator.figures(b).since(before)
	calls, looks := counted.all()
	return row{
		what:   fmt.Sprintf("%d running jobs, polled", wave),
		wall:   watched.String(),
		cpu:    spent.cpu.Round(10 * time.Millisecond).String(),
		memory: megabytes(operator.PeakMemory(b)),
		writes: fmt.Sprintf("%.1f", spent.writes/wave),
		look:   fmt.Sprintf("%.1f", float64(calls-callsBefore)/float64(max(looks-looksBefore, 1))),
	}
}

func startSite(b *testing.B) *installation {
	b.Helper()
	plane, err := controllertest.StartUnmonitored(root)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			b.Error(err)
		}
	})
	return install(b, plane)
}

func newTenants(b *testing.B, site *installation) (namespaces []*controllertest.Namespace) {
	b.Helper()
	for range tenants {
		namespaces = append(namespaces, site.NewNamespace(b))
	}
	return namespaces
}

// newWave is datasets, and for each a job, shared out among the namespaces.
func newWave(namespaces []*controllertest.Namespace, number int) (objects []client.Object) {
	for n := range wave {
		namespace, name := namespaces[n%len(namespaces)], fmt.Sprintf("run-%d-%04d", number, n)
		objects = append(objects, newDataset(namespace, name), newJob(namespace, name, name))
	}
	return objects
}

// apply creates objects as fast as the API server takes them.
func (i *installation) apply(b *testing.B, objects []client.Object) {
	b.Helper()
	queue := make(chan client.Object)
	problems := make([]error, appliers)
	var working sync.WaitGroup
	for n := range appliers {
		working.Go(func() {
			for object := range queue {
				problems[n] = errors.Join(problems[n], i.Admin.Create(b.Context(), object))
			}
		})
	}
	for _, object := range objects {
		queue <- object
	}
	close(queue)
	working.Wait()
	if err := errors.Join(problems...); err != nil {
		b.Fatal(err)
	}
}

// await waits until the operator's figures say so. Asking the API server for a
// thousand objects again and again would slow down what is measured.
func (o *operator) await(b *testing.B, awaited string, come func(figures) bool) {
	b.Helper()
	for deadline := time.Now().Add(20 * time.Minute); ; time.Sleep(time.Second) {
		figures := o.figures(b)
		if come(figures) {
			return
		}
		if time.Now().After(deadline) {
			b.Fatalf("waiting for %s: %+v", awaited, figures)
		}
	}
}

// awaitQuiet waits until nothing is reconciled for a while, and gives the figures.
func (o *operator) awaitQuiet(b *testing.B) figures {
	b.Helper()
	last, since := figures{}, time.Now()
	o.await(b, "quiet", func(f figures) bool {
		if f.reconciles != last.reconciles {
			last, since = f, time.Now()
		}
		return last.reconciles > 0 && time.Since(since) > quiet
	})
	return last
}

func megabytes(bytes int64) string { return fmt.Sprintf("%d MiB", bytes>>20) }
