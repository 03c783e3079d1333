package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// maxManifestBytes is many times the largest object that an API server takes.
const maxManifestBytes = 64 << 20

// found is what the files of a lint hold.
type found struct {
	datasets   []foundDataset
	jobs       []foundJob
	configMaps map[string]*corev1.ConfigMap // by namespace/name
	data       []string                     // files of samples
}

// foundDataset is a manifest, and what an API server would say against it.
type foundDataset struct {
	classifierv1alpha1.ClassifierDataset
	file    string
	refused error
}

type foundJob struct {
	namespace, name, file string
	refused               error
}

// readFiles reads manifests (.yaml, .yml, - for standard input), and takes all else for
// samples.
func readFiles(ctx context.Context, in io.Reader, files []string) (*found, error) {
	schemas, err := loadSchemas()
	if err != nil {
		return nil, err
	}
	all := &found{configMaps: map[string]*corev1.ConfigMap{}}
	for _, file := range files {
		switch extension := strings.ToLower(filepath.Ext(file)); {
		case file == "-":
			err = all.readManifests(ctx, schemas, "standard input", in)
		case extension == ".yaml" || extension == ".yml":
			err = all.readManifestFile(ctx, schemas, file)
		default:
			_, err = os.Stat(file)
			all.data = append(all.data, file)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (f *found) readManifestFile(ctx context.Context, schemas map[string]*kindSchema, file string) error {
	opened, err := os.Open(file)
	if err != nil {
		return err
	}
	defer opened.Close()
	return f.readManifests(ctx, schemas, file, opened)
}

func (f *found) readManifests(ctx context.Context, schemas map[string]*kindSchema, file string, in io.Reader) error {
	documents := utilyaml.NewYAMLReader(bufio.NewReader(io.LimitReader(in, maxManifestBytes)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = f.take(ctx, schemas, file, document)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
}

// take takes what a lint is about out of a manifest; other kinds are none of its business.
func (f *found) take(ctx context.Context, schemas map[string]*kindSchema, file string, document []byte) error {
	if len(bytes.TrimSpace(document)) == 0 {
		return nil
	}
	object := map[string]any{}
	encoded, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return err
	}
	if err := utiljson.Unmarshal(encoded, &object); err != nil { // whole numbers stay whole
		return err
	}
	if items, ok := object["items"].([]any); ok && object["kind"] == "List" {
		for _, item := range items {
			encoded, err := yaml.Marshal(item)
			if err == nil {
				err = f.take(ctx, schemas, file, encoded)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	kind, _ := object["kind"].(string)
	switch version := object["apiVersion"]; {
	case version == "v1" && kind == "ConfigMap":
		configMap := &corev1.ConfigMap{}
		if err := yaml.Unmarshal(document, configMap); err != nil {
			return err
		}
		f.configMaps[configMap.Namespace+"/"+configMap.Name] = configMap
	case version == classifierv1alpha1.GroupVersion.String() && schemas[kind] != nil:
		return f.takeOurs(kind, file, object, schemas[kind].admit(ctx, object))
	}
	return nil
}

func (f *found) takeOurs(kind, file string, object map[string]any, refused error) error {
	dataset := foundDataset{file: file, refused: refused}
	dataset.Name, dataset.Namespace = namesOf(object)
	if kind != kindDataset {
		f.jobs = append(f.jobs, foundJob{dataset.Namespace, dataset.Name, file, refused})
		return nil
	}
	if refused == nil {
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object, &dataset.ClassifierDataset); err != nil {
			return err
		}
	}
	f.datasets = append(f.datasets, dataset)
	return nil
}

func namesOf(object map[string]any) (name, namespace string) {
	metadata, _ := object["metadata"].(map[string]any)
	name, _ = metadata["name"].(string)
	namespace, _ = metadata["namespace"].(string)
	return name, namespace
}
