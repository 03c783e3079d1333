package source

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/classifier-factory/classifier-factory/internal/dial"
)

// Reason is one word for why object storage does not give what it is asked for.
type Reason string

// The reasons. Time may heal Unreachable and StorageFailed. The others stay until
// the spec, the Secret or the storage is changed; the operator sees only the first.
const (
	// ReasonInvalidURL: url, endpoint, region or an object's name cannot be used.
	ReasonInvalidURL Reason = "InvalidURL"
	// ReasonNotFound: there is no such object, or none under the prefix.
	ReasonNotFound Reason = "NotFound"
	// ReasonBucketNotFound: there is no such bucket or container.
	ReasonBucketNotFound Reason = "BucketNotFound"
	// ReasonCredentialsNotFound: the Secret does not exist, or the operator does not
	// lend its identity to the bucket, or has none.
	ReasonCredentialsNotFound Reason = "CredentialsNotFound"
	// ReasonInvalidCredentials: the Secret lacks a key, is for another endpoint, or
	// the storage does not know the credentials.
	ReasonInvalidCredentials Reason = "InvalidCredentials"
	// ReasonExpiredCredentials: the credentials were valid once.
	ReasonExpiredCredentials Reason = "ExpiredCredentials"
	// ReasonAccessDenied: the credentials are valid, and not allowed to read.
	ReasonAccessDenied Reason = "AccessDenied"
	// ReasonWrongRegion: the bucket is in another region.
	ReasonWrongRegion Reason = "WrongRegion"
	// ReasonArchived: the object must be restored before it can be read.
	ReasonArchived Reason = "Archived"
	// ReasonTooLarge: the objects are more, or together larger, than is allowed.
	ReasonTooLarge Reason = "TooLarge"
	// ReasonAddressRefused: the storage is at an address that the operator does not
	// connect to.
	ReasonAddressRefused Reason = "AddressRefused"
	// ReasonUnreachable: the storage could not be reached, fell silent or is too slow.
	ReasonUnreachable Reason = "Unreachable"
	// ReasonStorageFailed: the storage is overloaded or broken, or no storage.
	ReasonStorageFailed Reason = "StorageFailed"
)

// Error is a failure of object storage. The message says what to do. It holds no
// secret and nothing that a server wrote.
type Error struct {
	Reason  Reason
	Message string
}

func (e *Error) Error() string { return e.Message }

func invalidURL(message string) *Error { return &Error{ReasonInvalidURL, message} }

// answer is what a server said of a request that failed. The zero answer is none.
type answer struct {
	status int
	code   string // compared, never shown
	region string // of the bucket, if the server said
}

// reasonsByCode are codes that say more than the HTTP status they come with.
var reasonsByCode = map[string]Reason{
	// S3
	"NoSuchBucket":                       ReasonBucketNotFound,
	"InvalidBucketName":                  ReasonBucketNotFound,
	"InvalidAccessKeyId":                 ReasonInvalidCredentials,
	"SignatureDoesNotMatch":              ReasonInvalidCredentials,
	"InvalidToken":                       ReasonInvalidCredentials,
	"InvalidSecurity":                    ReasonInvalidCredentials,
	"XAdminUserNotFound":                 ReasonInvalidCredentials, // of versitygw, as 404
	"ExpiredToken":                       ReasonExpiredCredentials,
	"TokenRefreshRequired":               ReasonExpiredCredentials,
	"AuthorizationHeaderMalformed":       ReasonWrongRegion,
	"IllegalLocationConstraintException": ReasonWrongRegion,
	"InvalidObjectState":                 ReasonArchived,
	// Azure
	"ContainerNotFound":         ReasonBucketNotFound,
	"InvalidResourceName":       ReasonBucketNotFound,
	"AuthenticationFailed":      ReasonInvalidCredentials,
	"InvalidAuthenticationInfo": ReasonInvalidCredentials,
	"BlobArchived":              ReasonArchived,
}

// reasonOf is what an answer means. It is empty if there was none.
func reasonOf(answer answer) Reason {
	if reason, ok := reasonsByCode[answer.code]; ok {
		return reason
	}
	switch answer.status {
	case 0:
		return ""
	case http.StatusNotFound:
		return ReasonNotFound
	case http.StatusUnauthorized:
		return ReasonInvalidCredentials
	case http.StatusForbidden:
		return ReasonAccessDenied
	case http.StatusMovedPermanently, http.StatusTemporaryRedirect:
		return ReasonWrongRegion
	}
	return ReasonStorageFailed
}

// explain makes an error for the reader of a dataset's status out of an SDK's. ctx
// is the caller's: when it ended, that is the error.
func (o *objects) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	if errors.Is(err, ErrChanged) {
		return ErrChanged
	}
	if errors.Is(err, errTooSlow) {
		return &Error{ReasonUnreachable, fmt.Sprintf("the storage sends less than %d bytes a second, which is too slow; "+
			"bring the data nearer, or have the operator's flag --min-storage-throughput lowered", o.options.MinBytesPerSecond)}
	}
	if errors.Is(err, errLate) {
		return &Error{ReasonUnreachable, fmt.Sprintf("the storage did not say within %s which objects there are; check the endpoint and the network, or give a prefix with fewer objects", o.options.Timeout)}
	}
	answer := o.answer(err)
	reason := reasonOf(answer)
	switch {
	case reason != "":
	case errors.Is(err, errNoBucket):
		reason = ReasonBucketNotFound
	case errors.Is(err, errTooMany):
		reason = ReasonTooLarge
	case errors.Is(err, dial.ErrRefused):
		reason = ReasonAddressRefused
	case errors.Is(err, errMalformed), errors.Is(err, errAnswerTooLong):
		reason = ReasonStorageFailed
	default:
		reason = ReasonUnreachable
	}
	return &Error{reason, o.message(reason, answer)}
}

// answer is none while there is no bucket: then it was credentials that failed.
func (o *objects) answer(err error) answer {
	if o.bucket == nil {
		return answer{}
	}
	return o.bucket.answer(err)
}

func (o *objects) message(reason Reason, answer answer) string {
	switch reason {
	case ReasonNotFound:
		return o.location.String() + " does not exist"
	case ReasonBucketNotFound:
		return fmt.Sprintf("bucket %s does not exist", o.location.bucket)
	case ReasonInvalidCredentials:
		return fmt.Sprintf("the storage does not accept %s; correct it", o.reader())
	case ReasonExpiredCredentials:
		return fmt.Sprintf("%s has expired; renew it", o.reader())
	case ReasonAccessDenied:
		return fmt.Sprintf("the storage does not let %s read %s; allow reading the objects and listing the bucket", o.reader(), o.location)
	case ReasonWrongRegion:
		if answer.region == "" {
			return fmt.Sprintf("bucket %s is in another region; set region to it", o.location.bucket)
		}
		return fmt.Sprintf("bucket %s is in the region %s; set region to it", o.location.bucket, answer.region)
	case ReasonArchived:
		return o.location.String() + " is archived; restore it"
	case ReasonTooLarge:
		return fmt.Sprintf("%s is more than the %d objects or %d bytes that the operator reads of one source", o.location, o.options.MaxObjects, o.options.MaxBytes)
	case ReasonAddressRefused:
		return "the storage is at a loopback, private or reserved address; the operator connects to one only if its flags name the host"
	case ReasonStorageFailed:
		if answer.status == 0 {
			return "the storage answers with something that no storage answers; check the endpoint"
		}
		return fmt.Sprintf("the storage answers with HTTP status %d", answer.status)
	default:
		return "the storage cannot be reached or fell silent; check the endpoint and the network"
	}
}

// reader is who the storage is asked as.
func (o *objects) reader() string {
	switch {
	case o.credentials.given():
		return "the credentials of Secret " + o.credentials.secret
	case o.location.endpoint != "":
		return "a reader without credentials"
	}
	return "the operator's own identity"
}
