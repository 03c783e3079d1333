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
	"github.com/classifier-factory/classifier-factory/internal/parts"
)

// maxConfigMapBytes is what Kubernetes allows.
const maxConfigMapBytes = 1 << 20

// configMaps is the content of keys of ConfigMaps, one after the other.
type configMaps struct {
	live      client.Reader
	namespace string
	keys      []classifierv1alpha1.ConfigMapSource
	versions  map[string]string // UID and resourceVersion, by ConfigMap
}

// resolveConfigMaps needs the metadata only: a ConfigMap's version tells whether
// it must be read.
func resolveConfigMaps(ctx context.Context, readers Readers, namespace string, keys []classifierv1alpha1.ConfigMapSource) (Source, error) {
	resolved := &configMaps{live: readers.Live, namespace: namespace, keys: keys, versions: map[string]string{}}
	for _, key := range keys {
		if _, ok := resolved.versions[key.Name]; ok {
			continue
		}
		metadata := &metav1.PartialObjectMetadata{}
		metadata.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ConfigMap"))
		if err := get(ctx, readers.Metadata, namespace, key.Name, metadata); err != nil {
			return nil, err
		}
		resolved.versions[key.Name] = version(metadata)
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
	for _, key := range s.keys {
		parts = append(parts, key.Name, key.Key, s.versions[key.Name])
	}
	return fingerprint(parts...)
}

// SizeBytes is the most that the ConfigMaps can hold: metadata does not tell more.
func (s *configMaps) SizeBytes() (size int64, exact bool) {
	return int64(len(s.keys)) * maxConfigMapBytes, false
}

func (s *configMaps) Open(ctx context.Context) Content {
	var (
		all  []parts.Part
		last *corev1.ConfigMap // keys of the same one mostly stand together
	)
	for _, key := range s.keys {
		all = append(all, parts.Part{Name: key.Name + "/" + key.Key, Open: func() (io.ReadCloser, error) {
			if last == nil || last.Name != key.Name {
				configMap, err := s.read(ctx, key.Name)
				if err != nil {
					return nil, err
				}
				last = configMap
			}
			content, err := contentOf(last, key.Key)
			if err != nil {
				return nil, err
			}
			return io.NopCloser(bytes.NewReader(content)), nil
		}})
	}
	return parts.Of(all)
}

func (s *configMaps) read(ctx context.Context, name string) (*corev1.ConfigMap, error) {
	configMap := &corev1.ConfigMap{}
	if err := get(ctx, s.live, s.namespace, name, configMap); err != nil {
		return nil, err
	}
	if version(configMap) != s.versions[name] {
		return nil, ErrChanged
	}
	return configMap, nil
}

func contentOf(configMap *corev1.ConfigMap, key string) ([]byte, error) {
	if text, ok := configMap.Data[key]; ok {
		return []byte(text), nil
	}
	if content, ok := configMap.BinaryData[key]; ok {
		return content, nil
	}
	return nil, &NotFoundError{Kind: "ConfigMap", Name: configMap.Name, Key: key}
}
