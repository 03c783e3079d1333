package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// What hack/e2e-node.sh gives the machine.
const (
	nodeAddress = "10.1.0.1"
	dnsAddress  = "10.0.0.10"
	podNetwork  = "10.2.0.0/24"
	pauseImage  = "e2e.test/pause:one"
)

// node is a control plane and a kubelet on this machine. It is made to be thrown away: its
// processes end with the namespaces that they run in.
type node struct {
	folder, assets string
	plane          *envtest.Environment
	kubeconfig     string
	// running are the programs that were started, by their names.
	running map[string]*exec.Cmd
}

// startNode starts one whose pods are held by the program pause.
func startNode(folder, pause string) (*node, error) {
	n := &node{
		folder: folder, assets: os.Getenv("NODE_ASSETS"), kubeconfig: filepath.Join(folder, "kubeconfig"),
		running: map[string]*exec.Cmd{},
	}
	importPause := func() error { return n.importImage(pauseImage, "pause", pause) }
	steps := []func() error{n.startControlPlane, n.startRuntime, importPause, n.startKubernetes, n.startKubelet, n.waitUntilReady}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, errors.Join(err, n.logs())
		}
	}
	return n, nil
}

// startControlPlane starts etcd and the API server.
func (n *node) startControlPlane() error {
	n.plane = &envtest.Environment{ControlPlaneStartTimeout: time.Minute, ControlPlaneStopTimeout: time.Minute}
	server := n.plane.ControlPlane.GetAPIServer()
	server.SecureServing.Address, server.SecureServing.Port = nodeAddress, "443"
	server.CertDir = filepath.Join(n.folder, "certificates")
	if err := os.MkdirAll(server.CertDir, 0o700); err != nil {
		return err
	}
	server.Configure().Set("disable-admission-plugins", "").
		Set("service-account-issuer", "https://kubernetes.default.svc").
		Set("kubelet-preferred-address-types", "InternalIP")
	config, err := n.plane.Start()
	if err != nil {
		return err
	}
	cluster, err := client.New(config, client.Options{})
	return errors.Join(err,
		os.WriteFile(n.kubeconfig, n.plane.KubeConfig, 0o600),
		os.WriteFile(n.path("ca.crt"), config.CAData, 0o600),
		serveNames(dnsAddress, cluster))
}

const containerdConfiguration = `version = 2
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "` + pauseImage + `"
  disable_apparmor = true
  restrict_oom_score_adj = true
  disable_hugetlb_controller = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "ASSETS/debian/usr/lib/cni"
    conf_dir = "FOLDER/network"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      BinaryName = "ASSETS/debian/usr/sbin/runc"
      SystemdCgroup = false
`

const network = `{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "pods0", "isGateway": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "` + podNetwork + `"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "loopback"}]}`

func (n *node) startRuntime() error {
	err := errors.Join(
		n.write("network/pods.conflist", network),
		n.write("containerd.toml", containerdConfiguration),
		n.start("debian/usr/bin/containerd", "--config="+n.path("containerd.toml"), "--log-level=warn"))
	if err != nil {
		return err
	}
	return eventually(time.Minute, func() error { return n.ctr("version") })
}

// importImage makes an image of a program and brings it to the node.
func (n *node) importImage(name, program, binary string) error {
	path := n.path("image.tar")
	if err := writeImage(path, name, program, binary); err != nil {
		return err
	}
	return n.ctr("images", "import", path)
}

const kubeletConfiguration = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
cgroupRoot: /
cgroupsPerQOS: false
enforceNodeAllocatable: []
failCgroupV1: false
failSwapOn: false
makeIPTablesUtilChains: false
resolvConf: ""
clusterDNS: [` + dnsAddress + `]
clusterDomain: cluster.local
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
podLogsDir: /var/log/pods
evictionHard: {memory.available: "0%", nodefs.available: "0%", imagefs.available: "0%"}
`

// startKubernetes starts what makes pods of objects, and Services reach them.
func (n *node) startKubernetes() error {
	kubeconfig := "--kubeconfig=" + n.kubeconfig
	certificates := n.plane.ControlPlane.GetAPIServer().CertDir
	return errors.Join(
		n.start("kube-controller-manager", kubeconfig, "--leader-elect=false", "--secure-port=0",
			"--root-ca-file="+n.path("ca.crt"), "--service-account-private-key-file="+filepath.Join(certificates, "sa-signer.key")),
		n.start("kube-scheduler", kubeconfig, "--leader-elect=false", "--secure-port=0"),
		n.start("kube-proxy", kubeconfig, "--hostname-override=e2e", "--proxy-mode=nftables", "--conntrack-max-per-core=0", "--cluster-cidr="+podNetwork))
}

func (n *node) startKubelet() error {
	return errors.Join(
		n.write("kubelet.yaml", kubeletConfiguration),
		n.start("kubelet", "--kubeconfig="+n.kubeconfig, "--config="+n.path("kubelet.yaml"), "--hostname-override=e2e", "--node-ip="+nodeAddress))
}

func (n *node) waitUntilReady() error {
	return eventually(time.Minute, func() error {
		return n.kubectl("wait", "--for=condition=Ready", "--timeout=10s", "node/e2e")
	})
}

func (n *node) path(name string) string { return filepath.Join(n.folder, name) }

func (n *node) write(name, content string) error {
	content = strings.NewReplacer("ASSETS", n.assets, "FOLDER", n.folder).Replace(content)
	return errors.Join(os.MkdirAll(filepath.Dir(n.path(name)), 0o700), os.WriteFile(n.path(name), []byte(content), 0o600))
}

// start starts a program of the assets, which logs to a file of its name.
func (n *node) start(program string, arguments ...string) error {
	name := filepath.Base(program)
	log, err := os.OpenFile(n.path(name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	command := n.command(program, arguments...)
	command.Stdout, command.Stderr = log, log
	n.running[name] = command
	return errors.Join(command.Start(), log.Close())
}

// makeVolume makes a folder of the factory's user.
func (n *node) makeVolume() (string, error) {
	folder, err := os.MkdirTemp("/var/lib", "volume-")
	return folder, errors.Join(err, os.Chown(folder, 65532, 65532))
}

func (n *node) ctr(arguments ...string) error {
	output, err := n.command("debian/usr/bin/ctr", append([]string{"--namespace=k8s.io"}, arguments...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ctr %q: %w\n%s", arguments, err, output)
	}
	return nil
}

func (n *node) kubectl(arguments ...string) error {
	command := exec.Command(filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"), append([]string{"--kubeconfig=" + n.kubeconfig}, arguments...)...)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl %q: %w\n%s", arguments, err, output)
	}
	return nil
}

// command runs a program of the assets with the libraries that came with it.
func (n *node) command(program string, arguments ...string) *exec.Cmd {
	debian := filepath.Join(n.assets, "debian", "usr")
	command := exec.Command(filepath.Join(n.assets, program), arguments...)
	command.Env = append(os.Environ(),
		"PATH="+strings.Join([]string{filepath.Join(debian, "bin"), filepath.Join(debian, "sbin"), os.Getenv("PATH")}, ":"),
		"LD_LIBRARY_PATH="+filepath.Join(debian, "lib", "x86_64-linux-gnu")+":"+filepath.Join(debian, "lib", "aarch64-linux-gnu"))
	return command
}

// logs is the end of what each program told.
func (n *node) logs() error {
	paths, err := filepath.Glob(n.path("*.log"))
	problems := []error{err}
	for _, path := range paths {
		content, _ := os.ReadFile(path)
		problems = append(problems, fmt.Errorf("=== %s\n%s", filepath.Base(path), content[max(0, len(content)-3000):]))
	}
	return errors.Join(problems...)
}

// eventually tries until it works or the time is over.
func eventually(timeout time.Duration, try func() error) error {
	deadline := time.Now().Add(timeout)
	for {
		err := try()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}
