package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
)

// aloneBecause says why a replica of a StatefulSet may not serve, if it may not. Each has a volume of its
// own: with facts or bytes in it, this one would be another factory, behind the same name.
func (o *options) aloneBecause() string {
	if o.replica == 0 || o.databaseURL != "" && o.blobURL != "" {
		return ""
	}
	return fmt.Sprintf("replica %d would be a factory of its own, without the files, jobs and models of replica 0: "+
		"replicas above 1 need --database-url and --blob-url; without them, set replicas to 1", o.replica)
}

// standAside opens nothing, and tells who asks that the replica is not ready, until the context ends.
func (o *options) standAside(ctx context.Context, because string, logger *slog.Logger) error {
	logger.Error("not ready", slog.String("reason", because))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { answerUnready(w, because) })
	var servers servers
	failed := make(chan error, 1)
	err := servers.start("api", o.listen, mux, logger, failed)
	if err == nil {
		select {
		case err = <-failed:
		case <-ctx.Done():
		}
	}
	return errors.Join(err, servers.shutdown(shutdownTimeout, logger))
}

func answerUnready(w http.ResponseWriter, because string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusServiceUnavailable)
	_ = json.NewEncoder(w).Encode(map[string]string{"status": because})
}
