package blob

import (
	"os"
	"slices"
	"strings"
)

// urlVariable tells another process of this program which bucket there is. Like credentials it is
// on no command line, which everybody on a machine may read.
const urlVariable = "FACTORY_BLOB_URL"

// passedOn begin the names of what buckets are reached by: credentials, where they are looked for,
// endpoints, proxies and certificates.
var passedOn = []string{"AWS_", "AZURE_", "GOOGLE_", "GCE_METADATA_", "STORAGE_EMULATOR_HOST", "IDENTITY_", "MSI_", "HOME=", "PATH=",
	"HTTP_PROXY=", "HTTPS_PROXY=", "NO_PROXY=", "http_proxy=", "https_proxy=", "no_proxy=", "SSL_CERT_"}

// Environment is what another process needs in its own to reach the same blobs: nothing, if they
// are in the directory.
func (l Location) Environment() []string {
	if !l.Shared() {
		return nil
	}
	environment := []string{urlVariable + "=" + l.URL}
	for _, variable := range os.Environ() {
		if slices.ContainsFunc(passedOn, func(begin string) bool { return strings.HasPrefix(variable, begin) }) {
			environment = append(environment, variable)
		}
	}
	return environment
}

// FromEnvironment is where blobs are by the environment that such a process was given.
func FromEnvironment(directory string) Location {
	return Location{Directory: directory, URL: os.Getenv(urlVariable)}
}
