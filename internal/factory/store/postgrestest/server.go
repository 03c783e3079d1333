// Package postgrestest gives tests a PostgreSQL, which the process of the tests starts when
// the first of them asks for it.
package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// server is a PostgreSQL that listens on a socket in its folder, and nowhere else.
type server struct {
	folder     string
	program    string
	credential *syscall.Credential // nil: this user's
	command    *exec.Cmd
}

var (
	// start is once for all tests of a process.
	start   = sync.OnceValues(startServer)
	running *server
)

// errNone says how to get what is missing.
var errNone = errors.New("PostgreSQL is not installed: apt-get install postgresql, or put its programs on the PATH")

// required returns the server, or skips the test where there is none to be had. In CI nothing
// is left out silently.
func required(t testing.TB) *server {
	t.Helper()
	s, err := start()
	if errors.Is(err, errNone) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func startServer() (*server, error) {
	programs, err := folderOfPrograms()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "postgres-")
	if err != nil {
		return nil, err
	}
	running = &server{folder: folder}
	credential, err := running.giveAway()
	if err != nil {
		return nil, err
	}
	data := filepath.Join(folder, "data")
	// The order of a language, as most have it: a query that relied on it would be found out.
	initialise := exec.Command(filepath.Join(programs, "initdb"), "--pgdata="+data, "--username=postgres", "--auth=trust", "--no-sync",
		"--encoding=UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en")
	initialise.SysProcAttr, initialise.Dir = &syscall.SysProcAttr{Credential: credential}, folder
	if output, err := initialise.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, output)
	}
	running.program, running.credential = filepath.Join(programs, "postgres"), credential
	return running, running.launch()
}

// launch starts the server on what it has. What is lost with the power may be lost in tests.
func (s *server) launch() error {
	s.command = exec.Command(s.program, "-D", filepath.Join(s.folder, "data"), "-c", "listen_addresses=", "-c", "unix_socket_directories="+s.folder,
		"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=300", "-c", "shared_buffers=32MB")
	s.command.Dir = s.folder
	dieWithParent(s.command, s.credential)
	log, err := os.OpenFile(filepath.Join(s.folder, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	s.command.Stdout, s.command.Stderr = log, log
	if err := s.command.Start(); err != nil {
		return err
	}
	return s.await()
}

// end is at once, without waiting for clients.
func (s *server) end() error {
	if s.command == nil || s.command.Process == nil {
		return nil
	}
	err := s.command.Process.Signal(syscall.SIGQUIT)
	if waited := s.command.Wait(); waited != nil && s.command.ProcessState == nil {
		err = errors.Join(err, waited)
	}
	return err
}

// Restart ends the server in the midst of what it does, and starts it again. Tests that run
// meanwhile would lose it, too.
func Restart(t testing.TB) {
	t.Helper()
	s := required(t)
	if err := errors.Join(s.end(), s.launch()); err != nil {
		t.Fatal(err)
	}
}

// folderOfPrograms is the PATH's, or that of the newest of Debian's packages.
func folderOfPrograms() (string, error) {
	if program, err := exec.LookPath("postgres"); err == nil {
		return filepath.Dir(program), nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres") // the pattern is right
	if len(found) == 0 {
		return "", errNone
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(newest), nil
}

func version(program string) int {
	number, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(program)))) // 0: another folder
	return number
}

// giveAway gives the folder to a user who is not root, as whom PostgreSQL does not run.
func (s *server) giveAway() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return nil, err
	}
	uid, errUser := strconv.Atoi(nobody.Uid)
	gid, errGroup := strconv.Atoi(nobody.Gid)
	if err := errors.Join(errUser, errGroup); err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(s.folder, uid, gid) //nolint:gosec // such numbers have 32 bits
}

// address is that of the server's one database, or of a schema in it.
func (s *server) address(schema string) string {
	address := "postgres:///postgres?user=postgres&host=" + s.folder
	if schema != "" {
		address += "&search_path=" + schema
	}
	return address
}

func (s *server) await() error {
	tooLate := time.After(time.Minute)
	for {
		err := s.execute(`SELECT 1`)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-tooLate:
			log, _ := os.ReadFile(filepath.Join(s.folder, "log")) // the error says enough without it
			return fmt.Errorf("PostgreSQL does not start: %w\n%s", err, log)
		}
	}
}

func (s *server) execute(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	connection, err := pgx.Connect(ctx, s.address(""))
	if err != nil {
		return err
	}
	_, err = connection.Exec(ctx, statement)
	return errors.Join(err, connection.Close(ctx))
}

// Tests are those of a package, after which the server ends.
type Tests struct{ *testing.M }

// Run is for the package's TestMain.
func (t Tests) Run() int {
	code := t.M.Run()
	if err := stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	return code
}

// stop forgets what the server has.
func stop() error {
	if running == nil {
		return nil
	}
	return errors.Join(running.end(), os.RemoveAll(running.folder))
}
