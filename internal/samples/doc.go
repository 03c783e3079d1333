// Package samples stands between a ClassifierDataset and package dataset, which knows no
// Kubernetes: how the spec has samples read and prepared, and what the status tells of
// them. The operator and the plug-in for kubectl thus say the same of the same samples.
package samples
