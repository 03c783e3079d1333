package blob

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
)

// Location is where blobs are kept.
type Location struct {
	Directory string // with the blobs, or with those that are on their way to a bucket
	URL       string // of a bucket, or of a directory that others use, too; "": they are in the directory
}

// Shared reports whether others may name and remove the same blobs.
func (l Location) Shared() bool { return l.URL != "" }

// String is for people.
func (l Location) String() string {
	if l.Shared() {
		return l.URL
	}
	return l.Directory
}

// Open makes what is missing of a location, and forgets blobs of the directory that were
// not sent to their end: at once, if it is this process's alone.
func (l Location) Open(ctx context.Context, alone bool) (Store, error) {
	idle := sendingLifetime
	if alone {
		idle = 0
	}
	address, err := l.parse()
	switch {
	case err != nil:
		return nil, err
	case address == nil:
		return openAt(l.Directory, idle)
	case address.scheme == schemeFile:
		return openAt(address.path, sendingLifetime) // others may be sending, whoever has the directory
	}
	incoming := incomingIn(l.Directory)
	if err := makeIncoming(incoming, idle); err != nil {
		return nil, err
	}
	return reached(dial(ctx, address, incoming))
}

// Look is for reading what there is. It fails soon if that cannot be done.
func (l Location) Look(ctx context.Context) (Store, error) {
	found, err := l.Dial(ctx)
	if bucket, ok := found.(*Bucket); ok {
		return reached(bucket, err)
	}
	return found, err
}

// Dial asks for nothing yet.
func (l Location) Dial(ctx context.Context) (Store, error) {
	address, err := l.parse()
	switch {
	case err != nil:
		return nil, err
	case address == nil:
		return In(l.Directory), nil
	case address.scheme == schemeFile:
		return In(address.path), nil
	}
	return dial(ctx, address, incomingIn(l.Directory))
}

const (
	schemeS3     = "s3"
	schemeGoogle = "gs"
	schemeAzure  = "azblob"
	schemeFile   = "file"
)

// bucketPattern is of names that become part of a server's.
var bucketPattern = regexp.MustCompile(`^[$A-Za-z0-9][A-Za-z0-9._-]{0,254}$`)

// address is a URL that was understood.
type address struct {
	scheme string
	bucket string
	prefix string // of the names of objects: empty, or ends in /
	path   string // of a directory
}

func (a *address) String() string { return a.scheme + "://" + a.bucket + "/" + a.prefix }

// parse returns nil where there is no URL. It repeats none of what it refuses: a secret may
// be in it.
func (l Location) parse() (*address, error) {
	if !l.Shared() {
		return nil, nil
	}
	parsed, err := url.Parse(l.URL)
	switch {
	case err != nil:
		return nil, errors.New("--blob-url: it is no address such as s3://bucket/factory")
	case parsed.User != nil, parsed.RawQuery != "", parsed.Fragment != "":
		return nil, errors.New("--blob-url: it has more than the names of a bucket and a folder: credentials, region and endpoint are said in the environment, such as by AWS_ACCESS_KEY_ID and AWS_ENDPOINT_URL")
	case parsed.Scheme == schemeFile && (parsed.Host != "" || !filepath.IsAbs(parsed.Path)):
		return nil, errors.New("--blob-url: it is no address of a directory such as file:///mnt/factory")
	case parsed.Scheme == schemeFile:
		return &address{scheme: schemeFile, path: parsed.Path}, nil
	case parsed.Scheme != schemeS3 && parsed.Scheme != schemeGoogle && parsed.Scheme != schemeAzure:
		return nil, errors.New("--blob-url: it begins with none of s3://, gs://, azblob:// and file://")
	case !bucketPattern.MatchString(parsed.Host):
		return nil, fmt.Errorf("--blob-url: it names no bucket that there can be, as %s://bucket/factory does", parsed.Scheme)
	}
	found := &address{scheme: parsed.Scheme, bucket: parsed.Host}
	if folder := strings.Trim(parsed.Path, "/"); folder != "" {
		found.prefix = folder + "/"
	}
	return found, nil
}
