package controller

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

// ownerLength is how much of a hash tells owners apart at a factory.
const ownerLength = 8

// marks tell what at a factory is an object's own: the markers of its jobs and the names
// of its files. They are of the cluster, too, because in a clone of it every object has
// the UID of its original.
type marks struct {
	cluster string
	// former is whether marks are recognised that an earlier version made of the UID
	// alone. In a clone they may be the original's.
	former bool
}

// identify gives the marks of the cluster that the operator works in. Its identity is
// the UID of the namespace that no cluster is without, unless another one is given.
func identify(ctx context.Context, reader client.Reader, given string) (marks, error) {
	if given != "" {
		return marks{cluster: given}, nil
	}
	namespace := &corev1.Namespace{}
	if err := reader.Get(ctx, client.ObjectKey{Name: metav1.NamespaceSystem}, namespace); err != nil {
		return marks{}, fmt.Errorf("the UID of namespace %s, which is the cluster's identity, cannot be read: %w", metav1.NamespaceSystem, err)
	}
	return marks{cluster: string(namespace.UID), former: true}, nil
}

// jobMarker recognises the job of an attempt. It is made of what names the attempt,
// not of the spec: a second run of the same spec is another job.
func (m marks) jobMarker(object types.UID, attempt int32) string {
	return ownerHash(fmt.Sprintf("%s/%s/%d", m.cluster, object, attempt))
}

// ownsAttempt reports whether an attempt that a status tells of was this object's.
func (m marks) ownsAttempt(object types.UID, attempt *classifierv1alpha1.Attempt) bool {
	return attempt.Marker == m.jobMarker(object, attempt.Number) ||
		m.former && attempt.Marker == ownerHash(fmt.Sprintf("%s/%d", object, attempt.Number))
}

// keyName is the name of the keys that are minted for an object's model.
func (m marks) keyName(object types.UID) string {
	return "classifier-training-job-" + ownerHash(fmt.Sprintf("%s/%s", m.cluster, object))
}

// filePrefix starts the name of every file that a dataset ever uploads. It keeps two
// datasets with the same content apart, so that the deletion of one does not take the
// other's files.
func (m marks) filePrefix(object types.UID) string {
	return fileNamesPrefix + ownerHash(fmt.Sprintf("%s/%s", m.cluster, object)) + "-"
}

// filePrefixes are all that the names of a dataset's files may start with.
func (m marks) filePrefixes(object types.UID) []string {
	prefixes := []string{m.filePrefix(object)}
	if m.former {
		prefixes = append(prefixes, fmt.Sprintf("%s%.8s-", fileNamesPrefix, object))
	}
	return prefixes
}

// fileNamesPrefix starts the names of all files of all datasets.
const fileNamesPrefix = "classifier-dataset-"

// ownsFile reports whether a file is a dataset's own, by its name.
func (m marks) ownsFile(object types.UID, name string) bool {
	return slices.ContainsFunc(m.filePrefixes(object), func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// ownsFiles reports whether all that a status tells of the factory is the dataset's own.
func (m marks) ownsFiles(object types.UID, status *classifierv1alpha1.ClassifierDatasetStatus) bool {
	if len(status.Files) == 0 {
		return len(status.History) == 0 // names are known of the files alone
	}
	return !slices.ContainsFunc(status.Files, func(file classifierv1alpha1.DatasetFile) bool { return !m.ownsFile(object, file.Name) })
}

func ownerHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:ownerLength]
}
