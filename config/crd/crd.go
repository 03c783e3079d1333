// Package crd has the generated definitions of the project's kinds, for programs that
// check manifests without a cluster.
package crd

import "embed"

// Bases are the CustomResourceDefinitions, under bases/.
//
//go:embed bases/*.yaml
var Bases embed.FS
