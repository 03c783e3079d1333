package hack

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestDeployingSaysWhatIsMissing plays a cluster: each answer is what kubectl prints for
// arguments that have these words in them.
func TestDeployingSaysWhatIsMissing(t *testing.T) {
	const ready, key = "*rollout*) exit 0;;", "*secret*) echo secret/factory-api-key;;"
	for _, test := range []struct{ reason, answers, want string }{
		{"everything runs", ready, ""},
		{"no key", "*secret*) exit 1;;", "The operator does not run: there is no Secret factory-api-key"},
		{"no image", key + "*containerStatuses*) echo 'ImagePullBackOff ContainersNotReady';; *image*) echo r/operator:v1;;",
			"cannot pull the image r/operator:v1"},
		{"it crashes", key + "*containerStatuses*) echo 'CrashLoopBackOff';;", "it starts and ends again: see kubectl logs"},
		{"no node", key + "*containerStatuses*) echo ' Unschedulable';;", "no node has room"},
		{"something else", key, "The operator does not run: see kubectl describe pods"},
		{"no default storage class", "*rollout*deployment*) exit 0;;" + key + "*persistentvolumeclaim*) echo 'Pending ';;",
			"The factory does not run: there is no default storage class"},
		{"a storage class that makes nothing", "*rollout*deployment*) exit 0;;" + key + "*persistentvolumeclaim*) echo 'Pending fast';;",
			"the storage class fast has not made the factory's volume"},
		{"no node for a factory that has its volume", "*rollout*deployment*) exit 0;;" + key + "*persistentvolumeclaim*) echo 'Bound fast';; *containerStatuses*) echo ' Unschedulable';;",
			"The factory does not run: no node has room"},
		{"a second pod with data of its own", "*rollout*deployment*) exit 0;;" + key + "*statefulset*spec.replicas*) echo 2;;",
			"The factory does not run: only one pod can have its data"},
		{"servers and workers run", "*get*deployment*server*) echo deployment.apps/server;;" + ready, ""},
		{"nothing says where the servers' data are",
			"*get*deployment*server*) echo deployment.apps/server;; *rollout*controller-manager*) exit 0;; *factory-storage*) exit 1;;" + key,
			"The factory-server does not run: there is no Secret factory-storage"},
		{"no node for workers", "*get*deployment*server*) echo deployment.apps/server;; *rollout*worker*) exit 1;;" + ready + "*secret*) echo there;; *containerStatuses*) echo ' Unschedulable';;",
			"The factory-worker does not run: no node has room"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			r := newRepository(t, "", "wait-deployed.sh")
			r.write(filepath.Join(r.tools, "kubectl"), "#!/bin/sh\ncase \"$*\" in "+test.answers+" *rollout*) exit 1;; esac\n")
			output, succeeded := r.run("wait-deployed.sh", "KUBECTL=kubectl", "NAMESPACE=system")
			if succeeded != (test.want == "") || !strings.Contains(output, test.want) || strings.Count(output, "\n") > 1 {
				t.Errorf("succeeded: %t; printed: %s", succeeded, output)
			}
		})
	}
}
