package blob

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"gocloud.dev/gcerrors"
)

// UnavailableError says that a bucket did not do what it was asked for. It is no fault of
// whoever wants the bytes, and may pass.
type UnavailableError struct{ Reason string }

func (e *UnavailableError) Error() string { return e.Reason }

// errFull is a bucket that takes nothing more. To whoever sends bytes it is a full disk.
var errFull = fmt.Errorf("the bucket is full: %w", syscall.ENOSPC)

// fullCodes are those of S3's servers for a quota or a disk that is used up.
var fullCodes = map[string]bool{"QuotaExceeded": true, "XMinioStorageFull": true, "XMinioAdminBucketQuotaExceeded": true, "InsufficientCapacity": true}

func isFull(err error) bool {
	if coded, ok := errors.AsType[smithy.APIError](err); ok && fullCodes[coded.ErrorCode()] {
		return true
	}
	answer, ok := errors.AsType[*smithyhttp.ResponseError](err)
	return ok && answer.HTTPStatusCode() == http.StatusInsufficientStorage
}

// mayPass reports whether it is worth trying again. Even a refusal may pass, as when keys
// are exchanged; what is missing stays so, and who was slow has had his time.
func mayPass(err error) bool {
	return !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errSlow) && !isLocal(err) && !isFull(err)
}

// isLocal recognises what is wrong with the disk of a file that is sent.
func isLocal(err error) bool {
	_, local := errors.AsType[*localError](err)
	return local
}

// localError is a failure to read what is sent to a bucket.
type localError struct{ error }

func (e *localError) Unwrap() error { return e.error }

// explain says that it was the bucket, and which. No address with its query is told: an SDK may
// have a signature there.
func (b *Bucket) explain(err error) error {
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist), errors.As(err, new(*DamagedError)):
		return err
	case isLocal(err):
		return err
	case isFull(err):
		return errFull
	}
	reason := err.Error()
	if failed, ok := errors.AsType[*url.Error](err); ok {
		reason = failed.Err.Error()
	}
	return &UnavailableError{fmt.Sprintf("the bucket %s does not do what it is asked for: %s", b.address, strings.Join(strings.Fields(reason), " "))}
}

func isNotFound(err error) bool { return gcerrors.Code(err) == gcerrors.NotFound }
