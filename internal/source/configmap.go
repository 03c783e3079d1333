package source

import (
	"bytes"
	"context"
	"io"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

// configMaps is the content of keys of ConfigMaps, one after the other.
type configMaps struct {
	live      client.Reader
	namespace string
	keys      []classifierv1alpha1.ConfigMapSource
	versions  []string // UID and resourceVersion, by key
}

// resolveConfigMaps needs the metadata only: a ConfigMap's version tells whether
// it must be read.
func resolveConfigMaps(ctx context.Context, readers Readers, namespace string, keys []classifierv1alpha1.ConfigMapSource) (Source, error) {
	resolved := &configMaps{live: readers.Live, namespace: namespace, keys: keys}
	for _, key := range keys {
		metadata := &metav1.PartialObjectMetadata{}
		metadata.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ConfigMap"))
		if err := get(ctx, readers.Metadata, namespace, key.Name, metadata); err != nil {
			return nil, err
		}
		resolved.versions = append(resolved.versions, version(metadata))
	}
	return resolved, nil
}

func version(object metav1.Object) string {
	return string(object.GetUID()) + "/" + object.GetResourceVersion()
}

func get(ctx context.Context, reader client.Reader, namespace, name string, object client.Object) error {
	err := reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, object)
	if apierrors.IsNotFound(err) {
		return &NotFoundError{Kind: "ConfigMap", Name: name}
	}
	return err
}

func (s *configMaps) Identity() string {
	parts := []string{"configMaps"}
	for i, key := range s.keys {
		parts = append(parts, key.Name, key.Key, s.versions[i])
	}
	return fingerprint(parts...)
}

func (s *configMaps) Open(ctx context.Context, decode Decode) (io.ReadCloser, error) {
	var all []part
	for i, key := range s.keys {
		all = append(all, func() (io.ReadCloser, error) {
			content, err := s.read(ctx, key, s.versions[i])
			return io.NopCloser(bytes.NewReader(content)), err
		})
	}
	return openParts(all, decode), nil
}

func (s *configMaps) read(ctx context.Context, key classifierv1alpha1.ConfigMapSource, wanted string) ([]byte, error) {
	configMap := &corev1.ConfigMap{}
	if err := get(ctx, s.live, s.namespace, key.Name, configMap); err != nil {
		return nil, err
	}
	if version(configMap) != wanted {
		return nil, ErrChanged
	}
	if text, ok := configMap.Data[key.Key]; ok {
		return []byte(text), nil
	}
	if content, ok := configMap.BinaryData[key.Key]; ok {
		return content, nil
	}
	return nil, &NotFoundError{Kind: "ConfigMap", Name: key.Name, Key: key.Key}
}
