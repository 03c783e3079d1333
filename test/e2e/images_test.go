package e2e

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"runtime"
)

// writeImage writes what `docker save` would: an image of one layer with one program, which
// runs as the user of the Dockerfile's.
func writeImage(path, name, program, binary string) error {
	content, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	layer, err := archive(file{program, content})
	if err != nil {
		return err
	}
	digest := sha256.Sum256(layer)
	configuration, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH,
		"os":           "linux",
		"config":       map[string]any{"User": "65532:65532", "Entrypoint": []string{"/" + program}},
		"rootfs":       map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hex.EncodeToString(digest[:])}},
	})
	if err != nil {
		return err
	}
	manifest, err := json.Marshal([]any{map[string]any{"Config": "config.json", "RepoTags": []string{name}, "Layers": []string{"layer.tar"}}})
	if err != nil {
		return err
	}
	image, err := archive(file{"manifest.json", manifest}, file{"config.json", configuration}, file{"layer.tar", layer})
	if err != nil {
		return err
	}
	return os.WriteFile(path, image, 0o600)
}

type file struct {
	name    string
	content []byte
}

func archive(files ...file) ([]byte, error) {
	var written bytes.Buffer
	writer := tar.NewWriter(&written)
	for _, each := range files {
		if err := writer.WriteHeader(&tar.Header{Name: each.name, Mode: 0o755, Size: int64(len(each.content))}); err != nil {
			return nil, err
		}
		if _, err := writer.Write(each.content); err != nil {
			return nil, err
		}
	}
	err := writer.Close()
	return written.Bytes(), err
}
