package scaled

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
	"github.com/classifier-factory/classifier-factory/internal/mistral"
	"github.com/classifier-factory/classifier-factory/test/processes"
)

// lease is how long a member may be silent: a few times what a busy machine may make it.
const lease = 3 * time.Second

var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	folder, err := os.MkdirTemp("", "scaled-")
	if err == nil {
		binary, err = processes.Build(folder, "factory", "./cmd/factory")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return max(postgrestest.Tests{M: m}.Run(), failed(os.RemoveAll(folder)))
}

func failed(err error) int {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// members are servers and workers on one PostgreSQL and one directory.
type members struct {
	t         *testing.T
	directory string
	database  string
	keys      string // file
	servers   []*member
	workers   []*member
}

// member is a process that is started again with the same arguments.
type member struct {
	*processes.Process
	of        *members
	address   string
	arguments []string
}

func key(tenant string) string { return "key-of-" + tenant }

func newMembers(t *testing.T, tenants []string) *members {
	t.Helper()
	m := &members{t: t, directory: t.TempDir(), database: postgrestest.URL(t), keys: filepath.Join(t.TempDir(), "keys")}
	var lines strings.Builder
	for _, tenant := range tenants {
		fmt.Fprintf(&lines, "%s:%x\n", tenant, sha256.Sum256([]byte(key(tenant))))
	}
	if err := os.WriteFile(m.keys, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *members) start(arguments ...string) *member {
	m.t.Helper()
	address := processes.FreeAddress(m.t)
	one := &member{of: m, address: address, arguments: append(arguments,
		"--data-dir="+m.directory, "--database-url="+m.database, "--listen="+address, "--lease-duration="+lease.String())}
	one.start()
	return one
}

func (m *members) addServer() *member {
	m.t.Helper()
	s := m.start("serve", "--workers=0", "--api-keys-file="+m.keys, "--metrics-listen=127.0.0.1:0")
	m.servers = append(m.servers, s)
	return s
}

func (m *members) addWorker() *member {
	m.t.Helper()
	w := m.start("work", "--training-memory=512Mi")
	m.workers = append(m.workers, w)
	return w
}

func (one *member) start() {
	one.of.t.Helper()
	one.Process = processes.Start(one.of.t, binary, one.address, nil, one.arguments...)
}

// restart ends a member, and starts it anew.
func (one *member) restart(signal syscall.Signal) {
	one.of.t.Helper()
	one.End(one.of.t, signal)
	one.start()
}

// pause stops a member for twice the time that it may be silent.
func (one *member) pause() {
	one.of.t.Helper()
	one.Send(one.of.t, syscall.SIGSTOP)
	time.Sleep(2 * lease)
	one.Send(one.of.t, syscall.SIGCONT)
}

func (m *members) client(server *member, tenant string) *mistral.Client {
	m.t.Helper()
	client, err := mistral.NewClient(mistral.Config{BaseURL: "http://" + server.address, Key: mistral.NewKey(key(tenant))})
	if err != nil {
		m.t.Fatal(err)
	}
	return client
}

// story is what a job's events say of its state.
func story(job *mistral.DetailedJob) string {
	var said []string
	for _, event := range job.Events {
		said = append(said, strings.NewReplacer(`{"status":"`, "", `"}`, "").Replace(string(event.Data)))
	}
	return strings.Join(said, " ")
}

// await asks a server for a job until it is as wanted.
func (m *members) await(server *member, tenant, id string, is func(*mistral.DetailedJob) bool) *mistral.DetailedJob {
	m.t.Helper()
	client := m.client(server, tenant)
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		job, err := client.GetJob(m.t.Context(), id)
		if err != nil {
			m.t.Fatal(err)
		}
		if is(job) {
			return job
		}
		if job.Status.Finished() || time.Now().After(deadline) {
			m.t.Fatalf("the job %s is %s: %s", id, job.Status, story(job))
		}
	}
}

func has(status mistral.JobStatus) func(*mistral.DetailedJob) bool {
	return func(job *mistral.DetailedJob) bool { return job.Status == status }
}
