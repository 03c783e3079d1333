package kubectl

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"

	"github.com/classifier-factory/classifier-factory/internal/controller/controllertest"
)

// startKubelet starts a node that can do one thing: forward ports of its pods, all of
// which are this machine.
func startKubelet(t *testing.T, plane *controllertest.ControlPlane, name string) {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(forwardPorts))
	t.Cleanup(server.Close)
	_, text, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if err := plane.Admin.Create(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "127.0.0.1"}}
	node.Status.DaemonEndpoints.KubeletEndpoint.Port = int32(port)
	if err := plane.Admin.Status().Update(t.Context(), node); err != nil {
		t.Fatal(err)
	}
}

// forwardPorts connects each stream of data with the port that it names.
func forwardPorts(w http.ResponseWriter, r *http.Request) {
	if _, err := httpstream.Handshake(r, w, []string{"portforward.k8s.io"}); err != nil {
		return
	}
	streams := make(chan httpstream.Stream, 8)
	connection := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(stream httpstream.Stream, _ <-chan struct{}) error {
		streams <- stream
		return nil
	})
	if connection == nil {
		return
	}
	defer func() { _ = connection.Close() }()
	for {
		select {
		case <-connection.CloseChan():
			return
		case stream := <-streams:
			if stream.Headers().Get(corev1.StreamType) == corev1.StreamTypeData {
				go connect(stream)
			} else {
				_ = stream.Close() // of errors, of which there are none
			}
		}
	}
}

func connect(stream httpstream.Stream) {
	defer func() { _ = stream.Close() }()
	to, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", stream.Headers().Get(corev1.PortHeader)))
	if err != nil {
		fmt.Println("the pod cannot be reached:", err)
		return
	}
	defer func() { _ = to.Close() }()
	go func() { _, _ = io.Copy(to, stream) }()
	_, _ = io.Copy(stream, to)
}
