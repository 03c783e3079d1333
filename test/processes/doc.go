// Package processes runs the project's programs in tests as the processes that they
// are on a cluster.
package processes
