package hack

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

type workflow struct {
	On          map[string]any
	Permissions map[string]string
	Jobs        map[string]struct {
		TimeoutMinutes int `json:"timeout-minutes"`
		Steps          []struct{ Uses, Run string }
	}
}

var (
	pinned   = regexp.MustCompile(`uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+\n`)
	targets  = regexp.MustCompile(`(?m)^([a-z0-9-]+):`)
	calls    = regexp.MustCompile(`\bmake ([a-z0-9-]+)`)
	registry = regexp.MustCompile(`\b(ghcr|gcr|quay|docker)\.io\b`)
)

// TestWorkflows holds what a workflow must not have: an action that may become another one,
// rights that it does not need, a target that is not there, somebody's registry.
func TestWorkflows(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("..", ".github", "workflows", "*.yaml"))
	if err != nil || len(paths) != 2 {
		t.Fatalf("the workflows are %v: %v", paths, err)
	}
	makefile, err := os.ReadFile(filepath.Join("..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, target := range targets.FindAllSubmatch(makefile, -1) {
		there[string(target[1])] = true
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if uses := strings.Count(string(content), "uses: "); uses == 0 || uses != len(pinned.FindAll(content, -1)) {
				t.Errorf("of %d actions %d are pinned by a commit with its version beside it", uses, len(pinned.FindAll(content, -1)))
			}
			if host := registry.Find(content); host != nil {
				t.Errorf("it names the registry %s: that is a variable", host)
			}
			checkWorkflow(t, content, there)
		})
	}
}

func checkWorkflow(t *testing.T, content []byte, targets map[string]bool) {
	t.Helper()
	var parsed workflow
	if err := yaml.Unmarshal(bytes.Replace(content, []byte("\non:\n"), []byte("\n\"on\":\n"), 1), &parsed); err != nil {
		t.Fatal(err)
	}
	if parsed.Permissions == nil || parsed.Permissions["contents"] == "write" {
		t.Errorf("all jobs have the permissions %v", parsed.Permissions)
	}
	if len(parsed.On) == 0 || len(parsed.Jobs) == 0 {
		t.Errorf("it runs %d jobs on %v", len(parsed.Jobs), parsed.On)
	}
	for name, job := range parsed.Jobs {
		if job.TimeoutMinutes == 0 {
			t.Errorf("%s may run for ever", name)
		}
		for _, step := range job.Steps {
			for _, call := range calls.FindAllStringSubmatch(step.Run, -1) {
				if !targets[call[1]] {
					t.Errorf("there is no target %s", call[1])
				}
			}
			if strings.Contains(step.Run, "${{") {
				t.Errorf("a script has an expression in it, which may be anybody's words: %s", step.Run)
			}
		}
	}
}

// TestPushingImages plays Docker: both images are built on the digests that the tags have, and
// what is written down is what was pushed.
func TestPushingImages(t *testing.T) {
	const docker = `#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in
*imagetools*) echo "sha256:0ba5e" ;;
*) for argument; do [ "$previous" != --metadata-file ] || echo '{"containerimage.digest": "sha256:'"$(basename "$argument" | tr -cd 'a-f')"'", "x": {}}' > "$argument"; previous=$argument; done ;;
esac
`
	for _, test := range []struct {
		reason, bases string
		looked        int
		want          []string // in the calls
	}{
		{"tags", "ARG GO_IMAGE=golang:1\nARG BASE_IMAGE=r.example.com/static:nonroot\n", 2,
			[]string{"GO_IMAGE=golang:1@sha256:0ba5e ", "BASE_IMAGE=r.example.com/static:nonroot@sha256:0ba5e "}},
		{"a digest that stands in the Dockerfile", "ARG GO_IMAGE=golang:1@sha256:f00d\nARG BASE_IMAGE=static\n", 1,
			[]string{"GO_IMAGE=golang:1@sha256:f00d ", "BASE_IMAGE=static@sha256:0ba5e "}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			r := newRepository(t, "", "push-images.sh")
			r.write(filepath.Join(r.root, "Dockerfile"), test.bases)
			r.write(filepath.Join(r.tools, "docker"), docker)
			r.write(filepath.Join(r.tools, "git"), "#!/bin/sh\necho 1700000000\n")
			log := filepath.Join(r.root, "calls")
			output, succeeded := r.run("push-images.sh", "CALLS="+log, "IMG=registry.example.com:5000/operator:v1", "FACTORY_IMG=registry.example.com:5000/factory:v1",
				"PLATFORMS=linux/amd64,linux/arm64", "VERSION=v1", "COMMIT=c0")
			if !succeeded {
				t.Fatal(output)
			}
			called, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			if looked := strings.Count(string(called), "imagetools"); looked != test.looked {
				t.Errorf("%d digests were looked up, want %d", looked, test.looked)
			}
			for _, want := range append(test.want, "--platform linux/amd64,linux/arm64 ", "--provenance=mode=max --sbom=true ", "--build-arg VERSION=v1 ") {
				if strings.Count(string(called), want) != 2 {
					t.Errorf("%q is not in both builds:\n%s", want, called)
				}
			}
			images, err := os.ReadFile(filepath.Join(r.root, "dist", "images"))
			if want := "registry.example.com:5000/operator@sha256:eaae\nregistry.example.com:5000/factory@sha256:facae\n"; err != nil || string(images) != want {
				t.Errorf("%v: the images are\n%s\nwant\n%s", err, images, want)
			}
		})
	}
	r := newRepository(t, "", "push-images.sh")
	r.write(filepath.Join(r.root, "Dockerfile"), "FROM golang\n")
	if output, succeeded := r.run("push-images.sh", "IMG=a:1", "FACTORY_IMG=b:1", "PLATFORMS=p", "VERSION=v1", "COMMIT=c0"); succeeded || !strings.Contains(output, "no ARG GO_IMAGE") {
		t.Errorf("without the arguments: %s", output)
	}
}
