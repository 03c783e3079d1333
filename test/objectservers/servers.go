// Package objectservers runs servers of object storage for tests.
package objectservers

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

// What the gateway to S3 takes.
const (
	S3Region    = "eu-west-3"
	S3AccessKey = "AKIAEXAMPLE"
	S3SecretKey = "canary-of-s3" //nolint:gosec // it opens nothing else
)

// The account that every Azurite has.
const (
	AzureAccount = "devstoreaccount1"
	AzureKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

var (
	// folder is that of all that the servers store.
	folder  = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "storage-") })
	started []*Server
)

// Server is a process that listens.
type Server struct {
	Address string
	Folder  string // of what it stores, if it is a gateway to a disk
	command *exec.Cmd
}

// Start starts a server and waits until it listens. It ends with StopAll.
func Start(binary string, arguments func(port string) []string, environment ...string) (*Server, error) {
	address, err := FreeAddress()
	if err != nil {
		return nil, err
	}
	data, err := folder()
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(address)
	s := &Server{Address: address, command: exec.Command(binary, arguments(port)...)}
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

// Pid is of the process.
func (s *Server) Pid() int { return s.command.Process.Pid }

// Stop can be repeated.
func (s *Server) Stop() {
	_ = s.command.Process.Kill()
	_ = s.command.Wait()
}

// StopAll ends all servers, and forgets what they have. A package's TestMain calls it.
func StopAll() error {
	for _, server := range started {
		server.Stop()
	}
	data, err := folder()
	return errors.Join(err, os.RemoveAll(data))
}

// FreeAddress is one that nobody listens at.
func FreeAddress() (string, error) {
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
	module, err := toolsModule()
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

// toolsModule is found from the folder of any package.
func toolsModule() (string, error) {
	at, err := os.Getwd()
	for err == nil {
		module := filepath.Join(at, "hack", "tools", "storage")
		if _, err := os.Stat(module); err == nil {
			return module, nil
		}
		if filepath.Dir(at) == at {
			return "", errors.New("no hack/tools/storage above the test's folder")
		}
		at = filepath.Dir(at)
	}
	return "", err
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
	return folder, os.MkdirAll(folder, 0o750)
}

// VersityGateway serves S3. Its objects are files of its folder, by bucket and name.
var VersityGateway = sync.OnceValues(func() (*Server, error) {
	binary, err := tool("github.com/versity/versitygw/cmd/versitygw")
	if err != nil {
		return nil, err
	}
	data, err := folder()
	if err != nil {
		return nil, err
	}
	objects, metadata := filepath.Join(data, "s3"), filepath.Join(data, "metadata-of-s3")
	if err := errors.Join(os.Mkdir(objects, 0o700), os.Mkdir(metadata, 0o700)); err != nil {
		return nil, err
	}
	gateway, err := Start(binary, func(port string) []string {
		return []string{"--quiet", "--region", S3Region, "--port", "127.0.0.1:" + port, "posix", "--sidecar", metadata, objects}
	}, "ROOT_ACCESS_KEY="+S3AccessKey, "ROOT_SECRET_KEY="+S3SecretKey)
	if err == nil {
		gateway.Folder = objects
	}
	return gateway, err
})

// GoogleServer serves Google's storage API without credentials.
var GoogleServer = sync.OnceValues(func() (*Server, error) {
	binary, err := tool("github.com/fsouza/fake-gcs-server")
	if err != nil {
		return nil, err
	}
	return Start(binary, func(port string) []string {
		return []string{"-scheme", "http", "-host", "127.0.0.1", "-port", port, "-backend", "memory", "-log-level", "warn", "-public-host", "127.0.0.1:" + port}
	})
})

// AzureServer serves Azure's, if Azurite is there.
var AzureServer = sync.OnceValues(func() (*Server, error) {
	return Start(Azurite(), func(port string) []string {
		return []string{"--blobHost", "127.0.0.1", "--blobPort", port, "--inMemoryPersistence", "--skipApiVersionCheck", "--silent", "--disableTelemetry"}
	})
})

// Azurite is the path of azurite-blob, or empty. It needs Node, which is not asked
// of everyone who runs the tests.
func Azurite() string {
	if binary := strings.TrimSpace(os.Getenv("AZURITE")); binary != "" {
		return binary
	}
	binary, _ := exec.LookPath("azurite-blob")
	return binary
}
