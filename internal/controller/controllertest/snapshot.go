package controllertest

import (
	"errors"
	"os"
	"path/filepath"
)

// StartFrom starts another control plane from a snapshot: a clone of the cluster.
func StartFrom(root, snapshot string) (*ControlPlane, error) {
	return monitored(start(root, 0, snapshot))
}

// Snapshot copies what etcd holds into a new directory. The control plane is not there
// meanwhile. Who still watches holds it up.
func (p *ControlPlane) Snapshot(to string) error {
	return p.restart(func() error { return os.CopyFS(to, os.DirFS(p.dataDirectory())) })
}

// Restore makes the control plane what it was at the time of a snapshot, at the same
// address and with the same certificates.
func (p *ControlPlane) Restore(snapshot string) error {
	return p.restart(func() error {
		return errors.Join(os.RemoveAll(p.dataDirectory()), os.CopyFS(p.dataDirectory(), os.DirFS(snapshot)))
	})
}

// restart does something while the processes are stopped. What the monitor saw before is
// no measure of what comes after.
func (p *ControlPlane) restart(do func() error) error {
	processes := &p.environment.ControlPlane
	err := errors.Join(p.Monitor.stop(), processes.APIServer.Stop(), processes.Etcd.Stop(), do())
	if err := errors.Join(err, processes.Etcd.Start(), processes.APIServer.Start()); err != nil {
		return err
	}
	p.Monitor, err = startMonitor(p.Admin)
	return err
}

func (p *ControlPlane) dataDirectory() string { return filepath.Join(p.directory, "etcd") }

// makeDirectories makes what the processes do not make themselves.
func (p *ControlPlane) makeDirectories(snapshot string) error {
	err := errors.Join(os.MkdirAll(p.dataDirectory(), 0o700), os.MkdirAll(filepath.Join(p.directory, "certificates"), 0o700))
	if err != nil || snapshot == "" {
		return err
	}
	return os.CopyFS(p.dataDirectory(), os.DirFS(snapshot))
}
