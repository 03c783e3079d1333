// Package factory is a self-hosted server of the Classifier Factory protocol:
// files, training jobs, models and classifications, kept in one directory, or with
// their facts in PostgreSQL, which several servers and workers may share, and the training done in
// processes of its own. It knows nothing of Kubernetes, and it trains classifiers only.
//
// What is acknowledged is on disk: bytes are synced before they are named, and
// every change of a job's state is a transaction. A server that is killed
// takes up its queued and running jobs when it is opened again. What cannot be the
// state that was acknowledged is neither opened nor cleaned up.
package factory
