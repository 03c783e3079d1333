package source

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// ParseAmbientBuckets reads comma-separated patterns of buckets, such as
// s3://company-*,gs://company-texts, as path.Match has them.
func ParseAmbientBuckets(list string) ([]string, error) {
	var patterns []string
	for pattern := range strings.SplitSeq(list, ",") {
		pattern = strings.TrimSpace(pattern)
		if pattern == "" {
			continue
		}
		scheme, bucket, _ := strings.Cut(pattern, "://")
		if !isScheme(scheme) || bucket == "" || strings.Contains(bucket, "/") {
			return nil, fmt.Errorf("%q is not of the form s3://bucket, gs://bucket or azblob://container, in which the bucket may be a pattern such as company-*", pattern)
		}
		if _, err := path.Match(pattern, ""); err != nil {
			return nil, fmt.Errorf("%q: %w", pattern, err)
		}
		patterns = append(patterns, pattern)
	}
	return patterns, nil
}

// lendsIdentityTo reports whether the operator reads the bucket as itself for
// whoever may create datasets.
func (s *ObjectStorage) lendsIdentityTo(location location) bool {
	return slices.ContainsFunc(s.options.AmbientBuckets, func(pattern string) bool {
		matches, _ := path.Match(pattern, location.scheme+"://"+location.bucket)
		return matches
	})
}
