package cli

import (
	"net/url"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// TestServiceOf tells the names of Services, which are never looked up on a workstation,
// from other hosts.
func TestServiceOf(t *testing.T) {
	for address, want := range map[string]service{
		"http://factory.team.svc:8080":               {"team", "factory", 8080},
		"https://factory.team.svc.cluster.local/v1":  {"team", "factory", 443},
		"http://factory.team.svc":                    {"team", "factory", 80},
		"http://factory.example.com:8080":            {},
		"http://127.0.0.1:8080":                      {},
		"http://svc.example.com":                     {},
		"https://api.mistral.ai":                     {},
		"http://classifier-factory.factories:8080/x": {},
	} {
		parsed, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := serviceOf(parsed); got != want || ok != (want != service{}) {
			t.Errorf("%s is %+v", address, got)
		}
	}
}

func TestTargetPort(t *testing.T) {
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Ports: []corev1.ContainerPort{{Name: "metrics", ContainerPort: 9}, {Name: "http", ContainerPort: 8080}}}}}}
	named := &corev1.Service{Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{
		{Port: 80, TargetPort: intstr.FromString("http")}, {Port: 81, TargetPort: intstr.FromInt32(8081)}, {Port: 82}, {Port: 83, TargetPort: intstr.FromString("gone")},
	}}}
	for port, want := range map[int32]int32{80: 8080, 81: 8081, 82: 82, 83: 0, 84: 0} {
		if got, err := targetPort(named, pod, port); got != want || (err != nil) != (want == 0) {
			t.Errorf("port %d leads to %d, %v", port, got, err)
		}
	}
}
