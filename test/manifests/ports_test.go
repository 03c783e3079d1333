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
	type pod struct {
		labels labels.Set
		ports  []string
	}
	var pods []pod
	rendered := func(folder string) []map[string]any {
		t.Helper()
		output, err := run(t, "", "kustomize", config(folder))
		if err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
		return objects(t, output)
	}
	hasPort := func(kind string, selector map[string]string, port string) {
		t.Helper()
		selected := slices.DeleteFunc(slices.Clone(pods), func(p pod) bool { return !labels.SelectorFromSet(selector).Matches(p.labels) })
		if len(selected) != 1 || !slices.Contains(selected[0].ports, port) {
			t.Errorf("a %s of %v names the port %q, of the pods %v", kind, selector, port, selected)
		}
	}
	all := append(rendered("default"), rendered("network-policy")...)
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
	policies := 0
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
	if len(pods) != 2 || policies != 2 {
		t.Errorf("%d pods and %d policies, want those of the operator and the factory", len(pods), policies)
	}
}

func convert(t *testing.T, from map[string]any, into any) {
	t.Helper()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(from, into); err != nil {
		t.Fatal(err)
	}
}
