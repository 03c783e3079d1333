package storage

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

var (
	data    string // the folder of all that the servers store
	started []*server
)

// server is a process that listens.
type server struct {
	address string
	command *exec.Cmd
}

// start starts a server and waits until it listens.
func start(binary string, arguments func(port string) []string, environment ...string) (*server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(address)
	s := &server{address: address, command: exec.Command(binary, arguments(port)...)}
	s.command.Env = append(os.Environ(), environment...)
	s.command.Dir = data
	dieWithParent(s.command)
	log, err := os.Create(filepath.Join(data, filepath.Base(binary)+".log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s.command.Stdout, s.command.Stderr = log, log
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	started = append(started, s)
	if err := waitUntilListening(address); err != nil {
		output, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("%s does not start: %w\n%s", filepath.Base(binary), err, output)
	}
	return s, nil
}

// stop can be repeated.
func (s *server) stop() {
	_ = s.command.Process.Kill()
	_ = s.command.Wait()
}

func stopServers() {
	for _, server := range started {
		server.stop()
	}
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

func waitUntilListening(address string) error {
	var connection net.Conn
	err := errors.New("not tried")
	for deadline := time.Now().Add(time.Minute); err != nil && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if connection, err = net.Dial("tcp", address); err == nil {
			return connection.Close()
		}
	}
	return err
}

// tool gives the path of a server that hack/tools/storage pins, building it if no
// earlier run, of this clone or another, left it in the user's cache.
func tool(importPath string) (string, error) {
	module, err := filepath.Abs(filepath.Join("..", "..", "hack", "tools", "storage"))
	if err != nil {
		return "", err
	}
	folder, err := cacheFolder(module)
	if err != nil {
		return "", err
	}
	binary := filepath.Join(folder, path.Base(importPath))
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	fmt.Fprintf(os.Stderr, "building %s, once: a minute or two\n", path.Base(importPath))
	// Named only when whole: a build that was cut short is never taken for a finished one.
	temporary := binary + "." + strconv.Itoa(os.Getpid())
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", temporary, importPath)
	build.Dir = module
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", importPath, err, output)
	}
	return binary, os.Rename(temporary, binary)
}

// cacheFolder is another one for other versions of the servers.
func cacheFolder(module string) (string, error) {
	versions, err := os.ReadFile(filepath.Join(module, "go.mod"))
	if err != nil {
		return "", err
	}
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		if cache, err = os.UserCacheDir(); err != nil {
			return "", err
		}
	}
	folder := filepath.Join(cache, "classifier-factory", fmt.Sprintf("storage-%x", sha256.Sum256(versions))[:len("storage-")+12])
	return folder, os.MkdirAll(folder, 0o755)
}

var startVersityGateway = sync.OnceValues(func() (*server, error) {
	binary, err := tool("github.com/versity/versitygw/cmd/versitygw")
	if err != nil {
		return nil, err
	}
	objects, metadata := filepath.Join(data, "s3"), filepath.Join(data, "metadata-of-s3")
	if err := errors.Join(os.Mkdir(objects, 0o755), os.Mkdir(metadata, 0o755)); err != nil {
		return nil, err
	}
	return start(binary, func(port string) []string {
		return []string{"--quiet", "--region", s3Region, "--port", "127.0.0.1:" + port, "posix", "--sidecar", metadata, objects}
	}, "ROOT_ACCESS_KEY="+s3AccessKey, "ROOT_SECRET_KEY="+s3SecretKey)
})

var startGoogleServer = sync.OnceValues(func() (*server, error) {
	binary, err := tool("github.com/fsouza/fake-gcs-server")
	if err != nil {
		return nil, err
	}
	return start(binary, func(port string) []string {
		return []string{"-scheme", "http", "-host", "127.0.0.1", "-port", port, "-backend", "memory", "-log-level", "warn", "-public-host", "127.0.0.1:" + port}
	})
})

var startAzurite = sync.OnceValues(func() (*server, error) {
	return start(azurite(), func(port string) []string {
		return []string{"--blobHost", "127.0.0.1", "--blobPort", port, "--inMemoryPersistence", "--skipApiVersionCheck", "--silent", "--disableTelemetry"}
	})
})

// azurite is the path of azurite-blob, or empty. It needs Node, which is not asked
// of everyone who runs the tests.
func azurite() string {
	if binary := strings.TrimSpace(os.Getenv("AZURITE")); binary != "" {
		return binary
	}
	binary, _ := exec.LookPath("azurite-blob")
	return binary
}
