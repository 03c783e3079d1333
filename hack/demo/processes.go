package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

const (
	// startTimeout is many times what a start takes on a busy machine.
	startTimeout = time.Minute
	// newKindDelay is how long the API server holds the first object of a new
	// kind back. It is waited for here, so that the times shown are our own.
	newKindDelay = 2 * time.Second
)

// demo is everything that runs.
type demo struct {
	environment *envtest.Environment
	config      *rest.Config
	kubeconfig  string
	kubectl     string
	apiKey      string
	processes   []*process
}

// start starts the control plane, the factory and the operator.
func start(ctx context.Context, directory string) (_ *demo, err error) {
	d := &demo{
		environment: &envtest.Environment{
			CRDDirectoryPaths:        []string{filepath.Join("config", "crd", "bases")},
			ErrorIfCRDPathMissing:    true,
			ControlPlaneStartTimeout: startTimeout,
			ControlPlaneStopTimeout:  startTimeout,
		},
		kubeconfig: filepath.Join(directory, "kubeconfig"),
		kubectl:    filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"),
		apiKey:     rand.Text(),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.stop())
		}
	}()
	if d.config, err = d.environment.Start(); err != nil {
		return nil, fmt.Errorf("starting the control plane: %w", err)
	}
	if err := os.WriteFile(d.kubeconfig, d.environment.KubeConfig, 0o600); err != nil {
		return nil, err
	}
	held := time.After(newKindDelay)
	if err := d.startServers(ctx, directory); err != nil {
		return nil, err
	}
	select {
	case <-held:
	case <-ctx.Done():
	}
	return d, ctx.Err()
}

func (d *demo) startServers(ctx context.Context, directory string) error {
	ports, err := freePorts(2)
	if err != nil {
		return err
	}
	factory, probes := "127.0.0.1:"+ports[0], "127.0.0.1:"+ports[1]
	err = d.startProcess(directory, "factory", []string{"FACTORY_API_KEY=" + d.apiKey},
		"--listen="+factory, "--metrics-listen=127.0.0.1:0", "--data-dir="+filepath.Join(directory, "factory"))
	if err != nil {
		return err
	}
	err = d.startProcess(directory, "manager", []string{"MISTRAL_API_KEY=" + d.apiKey, "KUBECONFIG=" + d.kubeconfig},
		"--server-url=http://"+factory, "--health-probe-bind-address="+probes,
		// A training of the quickstart is over in less than the usual second between two looks.
		"--min-poll-interval=50ms")
	if err != nil {
		return err
	}
	return errors.Join(waitFor(ctx, "http://"+factory+"/readyz"), waitFor(ctx, "http://"+probes+"/readyz"))
}

// process is a program of ours and what it logs.
type process struct {
	command *exec.Cmd
	log     *os.File
}

func (d *demo) startProcess(directory, name string, environment []string, arguments ...string) error {
	log, err := os.Create(filepath.Join(directory, name+".log"))
	if err != nil {
		return err
	}
	command := exec.Command(binary(name), arguments...)
	command.Env = append(os.Environ(), environment...)
	command.Stdout, command.Stderr = log, log
	// A group of its own: Ctrl-C ends the demo, and the demo ends its processes in order.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		return errors.Join(err, log.Close())
	}
	d.processes = append(d.processes, &process{command: command, log: log})
	return nil
}

// stop ends what runs, the last first.
func (d *demo) stop() error {
	var problems []error
	for i := len(d.processes) - 1; i >= 0; i-- {
		problems = append(problems, d.processes[i].stop())
	}
	return errors.Join(append(problems, d.environment.Stop())...)
}

func (p *process) stop() error {
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	timer := time.AfterFunc(startTimeout, func() { _ = p.command.Process.Kill() })
	defer timer.Stop()
	return errors.Join(p.command.Wait(), p.log.Close())
}

// run runs kubectl.
func (d *demo) run(ctx context.Context, arguments ...string) error {
	command := exec.CommandContext(ctx, d.kubectl, append([]string{"--kubeconfig", d.kubeconfig, "--namespace", namespace}, arguments...)...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("kubectl %s: %w", arguments[0], err)
	}
	return nil
}

// freePorts gives ports that nobody listens on.
func freePorts(count int) ([]string, error) {
	var ports []string
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		// Closed only at the end, so that no port is given twice.
		defer func() { _ = listener.Close() }()
		_, port, err := net.SplitHostPort(listener.Addr().String())
		if err != nil {
			return nil, err
		}
		ports = append(ports, port)
	}
	return ports, nil
}

// waitFor waits until a server is ready.
func waitFor(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not become ready: %w", url, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}
