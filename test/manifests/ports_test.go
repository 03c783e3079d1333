package manifests

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
)

// TestPortsAreThePods holds the names of ports together, which no API server does: those
// of Services and network policies are ports of the pods that they select. Who scrapes
// metrics reaches these and nothing else.
func TestPortsAreThePods(t *testing.T) {
	for _, test := range []struct {
		install, policies string
		pods              int // of which each has a policy
	}{
		{"default", "network-policy", 2},
		{"factory-scaled", "factory-scaled/network-policy", 3},
	} {
		t.Run(test.install, func(t *testing.T) {
			all := append(rendered(t, test.install), rendered(t, test.policies)...)
			pods := podsOf(t, all)
			if policies := portsAreOf(t, all, pods); len(pods) != test.pods || policies != test.pods {
				t.Errorf("%d pods and %d policies, want %d", len(pods), policies, test.pods)
			}
		})
	}
}

func rendered(t *testing.T, folder string) []map[string]any {
	t.Helper()
	output, err := run(t, "", "kustomize", config(folder))
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return objects(t, output)
}

type pod struct {
	labels labels.Set
	ports  []string
}

func podsOf(t *testing.T, all []map[string]any) (pods []pod) {
	t.Helper()
	for _, object := range all {
		template, ok, _ := unstructured.NestedMap(object, "spec", "template")
		if !ok {
			continue
		}
		var found corev1.PodTemplateSpec
		convert(t, template, &found)
		one := pod{labels: found.Labels}
		for _, port := range found.Spec.Containers[0].Ports {
			one.ports = append(one.ports, port.Name)
		}
		pods = append(pods, one)
	}
	return pods
}

// portsAreOf holds the ports of Services and policies against those of the pods, and counts the policies.
func portsAreOf(t *testing.T, all []map[string]any, pods []pod) (policies int) {
	t.Helper()
	hasPort := func(kind string, selector map[string]string, port string) {
		t.Helper()
		selected := slices.DeleteFunc(slices.Clone(pods), func(p pod) bool { return !labels.SelectorFromSet(selector).Matches(p.labels) })
		if len(selected) != 1 || !slices.Contains(selected[0].ports, port) {
			t.Errorf("a %s of %v names the port %q, of the pods %v", kind, selector, port, selected)
		}
	}
	for _, object := range all {
		switch object["kind"] {
		case "Service":
			var service corev1.Service
			convert(t, object, &service)
			for _, port := range service.Spec.Ports {
				hasPort("Service", service.Spec.Selector, port.TargetPort.String())
			}
		case "NetworkPolicy":
			policies++
			var policy networkingv1.NetworkPolicy
			convert(t, object, &policy)
			for _, rule := range policy.Spec.Ingress {
				for _, port := range rule.Ports {
					hasPort("NetworkPolicy", policy.Spec.PodSelector.MatchLabels, port.Port.String())
					scrapes := slices.ContainsFunc(rule.From, func(from networkingv1.NetworkPolicyPeer) bool {
						return from.NamespaceSelector != nil && from.NamespaceSelector.MatchLabels["metrics"] != ""
					})
					if scrapes != (port.Port.String() == "metrics") {
						t.Errorf("%s lets %v reach the port %s", policy.Name, rule.From, port.Port)
					}
				}
			}
		}
	}
	return policies
}

func convert(t *testing.T, from map[string]any, into any) {
	t.Helper()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(from, into); err != nil {
		t.Fatal(err)
	}
}
