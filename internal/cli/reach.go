package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/classifier-factory/classifier-factory/internal/mistral"
)

// service is what an address within the cluster names.
type service struct {
	namespace, name string
	port            int32
}

// serviceOf reads an address such as http://factory.team.svc:8080; false for any other.
func serviceOf(address *url.URL) (service, bool) {
	parts := strings.Split(address.Hostname(), ".")
	if len(parts) < 3 || parts[2] != "svc" {
		return service{}, false
	}
	port := map[string]int32{"http": 80, "https": 443}[address.Scheme]
	if text := address.Port(); text != "" {
		number, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return service{}, false
		}
		port = int32(number)
	}
	return service{parts[1], parts[0], port}, true
}

// reach gives a transport to an address, to be ended after use. The name of a Service is
// never looked up on this machine: who answers to it here might be anybody, and would get
// the key. One that was given by hand is asked as it is.
func (c *cluster) reach(ctx context.Context, address string, given bool) (transport http.RoundTripper, end func(), err error) {
	parsed, err := mistral.ParseServerURL(address)
	if err != nil {
		return nil, nil, fmt.Errorf("the address of the factory %w", err)
	}
	named, isService := serviceOf(parsed)
	direct := http.DefaultTransport.(*http.Transport).Clone()
	if given || !isService || os.Getenv("KUBERNETES_SERVICE_HOST") != "" {
		return direct, direct.CloseIdleConnections, nil
	}
	port, stop, err := c.forward(ctx, named)
	if err != nil {
		return nil, nil, fmt.Errorf("the Service %s in namespace %s cannot be reached from here: %w; "+
			"if this machine reaches the factory otherwise, say so with --url", named.name, named.namespace, err)
	}
	direct.Proxy = nil
	direct.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))))
	}
	return direct, func() { direct.CloseIdleConnections(); stop() }, nil
}

// forward opens a port on this machine that leads to a pod of a Service.
func (c *cluster) forward(ctx context.Context, to service) (port uint16, stop func(), err error) {
	pod, target, err := c.podOf(ctx, to)
	if err != nil {
		return 0, nil, err
	}
	clientset, err := kubernetes.NewForConfig(c.config)
	if err != nil {
		return 0, nil, err
	}
	forwarded := clientset.CoreV1().RESTClient().Post().Resource("pods").Namespace(pod.Namespace).Name(pod.Name).SubResource("portforward").URL()
	transport, upgrader, err := spdy.RoundTripperFor(c.config)
	if err != nil {
		return 0, nil, err
	}
	dialer := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, forwarded)
	ended, ready, failed := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	forwarder, err := portforward.New(dialer, []string{fmt.Sprintf("0:%d", target)}, ended, ready, io.Discard, io.Discard)
	if err != nil {
		return 0, nil, err
	}
	stop = func() { close(ended) }
	go func() { failed <- forwarder.ForwardPorts() }()
	select {
	case err := <-failed:
		return 0, nil, err
	case <-ctx.Done():
		stop()
		return 0, nil, ctx.Err()
	case <-ready:
	}
	ports, err := forwarder.GetPorts()
	if err != nil {
		stop()
		return 0, nil, err
	}
	return ports[0].Local, stop, nil
}

// podOf is a ready pod behind a Service, and its port.
func (c *cluster) podOf(ctx context.Context, to service) (*corev1.Pod, int32, error) {
	named := &corev1.Service{}
	if err := c.Get(ctx, client.ObjectKey{Namespace: to.namespace, Name: to.name}, named); err != nil {
		return nil, 0, err
	}
	if len(named.Spec.Selector) == 0 {
		return nil, 0, errors.New("it selects no pods")
	}
	pods := &corev1.PodList{}
	err := c.List(ctx, pods, client.InNamespace(to.namespace), client.MatchingLabelsSelector{Selector: labels.SelectorFromSet(named.Spec.Selector)})
	if err != nil {
		return nil, 0, err
	}
	for i := range pods.Items {
		if pod := &pods.Items[i]; isReady(pod) {
			port, err := targetPort(named, pod, to.port)
			return pod, port, err
		}
	}
	return nil, 0, errors.New("none of its pods is ready")
}

func isReady(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue && pod.DeletionTimestamp == nil
		}
	}
	return false
}

// targetPort is the port of the pod that one of the Service leads to.
func targetPort(named *corev1.Service, pod *corev1.Pod, port int32) (int32, error) {
	for _, of := range named.Spec.Ports {
		switch {
		case of.Port != port:
			continue
		case of.TargetPort.Type == intstr.Int && of.TargetPort.IntVal != 0:
			return of.TargetPort.IntVal, nil
		case of.TargetPort.Type == intstr.Int:
			return of.Port, nil
		}
		for _, container := range pod.Spec.Containers {
			for _, named := range container.Ports {
				if named.Name == of.TargetPort.StrVal {
					return named.ContainerPort, nil
				}
			}
		}
	}
	return 0, fmt.Errorf("it has no port %d", port)
}
