// Package version says what the operator and the factory were built from. It does not
// decide anything by it: versions of formats are those of the formats.
package version

import (
	"cmp"
	"fmt"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/common/version"
)

// The linker sets Version and Revision of the Prometheus package, as Makefile and
// Dockerfile say. What it does not set is what the Go toolchain recorded.
func init() {
	version.Version = cmp.Or(version.Version, moduleVersion(debug.ReadBuildInfo()))
}

func moduleVersion(info *debug.BuildInfo, ok bool) string {
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel" // parentheses are a comment in headers
	}
	return info.Main.Version
}

// Number is the version alone, such as v1.2.3.
func Number() string { return version.Version }

// Line is what --version prints: version, commit, and the toolchain with its platform.
func Line() string {
	return fmt.Sprintf("%s, commit %s, %s %s/%s", version.Version, version.GetRevision(), version.GoVersion, version.GoOS, version.GoArch)
}

// Collector has the metric <program>_build_info.
func Collector(program string) prometheus.Collector {
	return versioncollector.NewCollector(program)
}
