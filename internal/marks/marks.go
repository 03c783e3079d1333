// Package marks tells what at a factory is an object's own: the markers of its jobs, the
// names of its files and of its keys. The operator marks by it what it creates; the plug-in
// for kubectl recognises by it what nobody owns any more.
package marks

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
)

const (
	// OwnerLength is how much of a hash tells owners apart at a factory.
	OwnerLength = 8
	// MaxAttempts is how many tries the API allows a job.
	MaxAttempts = 11
	// FileNames starts the names of all files of all datasets.
	FileNames = "classifier-dataset-"
	// KeyNames starts the names of all keys of all models.
	KeyNames = "classifier-training-job-"
)

// Marks are of a cluster, too, because in a clone of it every object has the UID of its
// original.
type Marks struct {
	Cluster string
	// Former is whether marks are recognised that an earlier version made of the UID
	// alone. In a clone they may be the original's.
	Former bool
}

// Identify gives the marks of the cluster that the operator works in. Its identity is
// the UID of the namespace that no cluster is without, unless another one is given.
func Identify(ctx context.Context, reader client.Reader, given string) (Marks, error) {
	if given != "" {
		return Marks{Cluster: given}, nil
	}
	namespace := &corev1.Namespace{}
	if err := reader.Get(ctx, client.ObjectKey{Name: metav1.NamespaceSystem}, namespace); err != nil {
		return Marks{}, fmt.Errorf("the UID of namespace %s, which is the cluster's identity, cannot be read: %w", metav1.NamespaceSystem, err)
	}
	return Marks{Cluster: string(namespace.UID), Former: true}, nil
}

// JobMarker recognises the job of an attempt. It is made of what names the attempt,
// not of the spec: a second run of the same spec is another job.
func (m Marks) JobMarker(object types.UID, attempt int32) string {
	return ownerHash(fmt.Sprintf("%s/%s/%d", m.Cluster, object, attempt))
}

// JobMarkers are all that jobs of an object may have.
func (m Marks) JobMarkers(object types.UID) (markers []string) {
	for attempt := int32(1); attempt <= MaxAttempts; attempt++ {
		markers = append(markers, m.JobMarker(object, attempt))
		if m.Former {
			markers = append(markers, formerJobMarker(object, attempt))
		}
	}
	return markers
}

func formerJobMarker(object types.UID, attempt int32) string {
	return ownerHash(fmt.Sprintf("%s/%d", object, attempt))
}

// OwnsAttempt reports whether an attempt that a status tells of was this object's.
func (m Marks) OwnsAttempt(object types.UID, attempt *classifierv1alpha1.Attempt) bool {
	return attempt.Marker == m.JobMarker(object, attempt.Number) ||
		m.Former && attempt.Marker == formerJobMarker(object, attempt.Number)
}

// KeyName is the name of the keys that are minted for an object's model.
func (m Marks) KeyName(object types.UID) string {
	return KeyNames + ownerHash(fmt.Sprintf("%s/%s", m.Cluster, object))
}

// FilePrefix starts the name of every file that a dataset ever uploads. It keeps two
// datasets with the same content apart, so that the deletion of one does not take the
// other's files.
func (m Marks) FilePrefix(object types.UID) string {
	return FileNames + ownerHash(fmt.Sprintf("%s/%s", m.Cluster, object)) + "-"
}

// FilePrefixes are all that the names of a dataset's files may start with.
func (m Marks) FilePrefixes(object types.UID) []string {
	prefixes := []string{m.FilePrefix(object)}
	if m.Former {
		prefixes = append(prefixes, fmt.Sprintf("%s%.8s-", FileNames, object))
	}
	return prefixes
}

// OwnsFile reports whether a file is a dataset's own, by its name.
func (m Marks) OwnsFile(object types.UID, name string) bool {
	return slices.ContainsFunc(m.FilePrefixes(object), func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// OwnsFiles reports whether all that a status tells of the factory is the dataset's own.
func (m Marks) OwnsFiles(object types.UID, status *classifierv1alpha1.ClassifierDatasetStatus) bool {
	if len(status.Files) == 0 {
		return len(status.History) == 0 // names are known of the files alone
	}
	return !slices.ContainsFunc(status.Files, func(file classifierv1alpha1.DatasetFile) bool { return !m.OwnsFile(object, file.Name) })
}

func ownerHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:OwnerLength]
}
