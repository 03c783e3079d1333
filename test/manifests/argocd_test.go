package manifests

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

// TestArgoCDHealth runs the script of the documentation as Argo CD does, in the same
// interpreter, and holds what it says against what Flux is told.
func TestArgoCDHealth(t *testing.T) {
	script := healthScript(t)
	for _, test := range []struct {
		reason, object string
		argo           string
		flux           status.Status
	}{
		{"just created", `{metadata: {generation: 1}, status: {observedGeneration: -1}}`, "Progressing", status.InProgressStatus},
		{"no status at all, which the schema's default is there to prevent", `{metadata: {generation: 1}}`, "Progressing", status.CurrentStatus},
		{"changed since", `{metadata: {generation: 2}, status: {observedGeneration: 1, conditions: [
			{type: Ready, status: "True", reason: Uploaded, message: told}]}}`, "Progressing", status.InProgressStatus},
		{"at work", `{metadata: {generation: 1}, status: {observedGeneration: 1, conditions: [
			{type: Ready, status: "False", reason: Training, message: told},
			{type: Reconciling, status: "True", reason: Training, message: told}]}}`, "Progressing", status.InProgressStatus},
		{"waits for approval", `{metadata: {generation: 1}, status: {observedGeneration: 1, conditions: [
			{type: Ready, status: "False", reason: Suspended, message: told},
			{type: Reconciling, status: "True", reason: Suspended, message: told}]}}`, "Suspended", status.InProgressStatus},
		{"done", `{metadata: {generation: 1}, status: {observedGeneration: 1, conditions: [
			{type: Ready, status: "True", reason: Published, message: told},
			{type: Finished, status: "True", reason: Succeeded, message: other}]}}`, "Healthy", status.CurrentStatus},
		{"somebody must act", `{metadata: {generation: 1}, status: {observedGeneration: 1, conditions: [
			{type: Ready, status: "False", reason: InvalidSamples, message: other},
			{type: Stalled, status: "True", reason: InvalidSamples, message: told}]}}`, "Degraded", status.FailedStatus},
	} {
		t.Run(test.reason, func(t *testing.T) {
			object := parse(t, test.object)
			health, message := runHealthScript(t, script, object)
			if health != test.argo {
				t.Errorf("Argo CD sees %s, want %s", health, test.argo)
			}
			if health != "Progressing" && message != "told" {
				t.Errorf("Argo CD shows %q", message)
			}
			result, err := status.Compute(&unstructured.Unstructured{Object: object})
			if err != nil || result.Status != test.flux {
				t.Errorf("Flux sees %v, %v; want %s", result, err, test.flux)
			}
		})
	}
}

// parse gives numbers the types that a client gives them.
func parse(t *testing.T, object string) (parsed map[string]any) {
	t.Helper()
	// The tabs are for the eye; YAML allows none.
	encoded, err := yaml.YAMLToJSON([]byte(strings.ReplaceAll(object, "\t", "")))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(encoded, &parsed); err != nil {
		t.Fatal(err)
	}
	return parsed
}

// healthScript is what the page tells to put into argocd-cm.
func healthScript(t *testing.T) string {
	t.Helper()
	page := read(t, filepath.Join("..", "..", "docs", "how-to", "use-with-argo-cd-and-flux.md"))
	var configMap struct{ Data map[string]string }
	if err := yaml.Unmarshal([]byte(yamlBlock.FindStringSubmatch(page)[1]), &configMap); err != nil {
		t.Fatal(err)
	}
	var customizations map[string]map[string]string
	if err := yaml.Unmarshal([]byte(configMap.Data["resource.customizations"]), &customizations); err != nil {
		t.Fatal(err)
	}
	script := customizations["classifierfactory.dev/*"]["health.lua"]
	if script == "" {
		t.Fatal("the page has no script")
	}
	return script
}

// runHealthScript has the libraries that Argo CD gives to scripts by default.
func runHealthScript(t *testing.T, script string, object map[string]any) (health, message string) {
	t.Helper()
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	lua.OpenBase(state)
	state.SetGlobal("obj", luaValue(state, object))
	if err := state.DoString(script); err != nil {
		t.Fatal(err)
	}
	result, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		t.Fatalf("the script gives %v", state.Get(-1))
	}
	return lua.LVAsString(result.RawGetString("status")), lua.LVAsString(result.RawGetString("message"))
}

func luaValue(state *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case string:
		return lua.LString(value)
	case int64:
		return lua.LNumber(value)
	case []any:
		list := state.NewTable()
		for _, element := range value {
			list.Append(luaValue(state, element))
		}
		return list
	case map[string]any:
		table := state.NewTable()
		for name, element := range value {
			table.RawSetString(name, luaValue(state, element))
		}
		return table
	}
	return lua.LNil
}
