package source

import (
	"context"
	"errors"
	"io"
	"strings"

	"gocloud.dev/blob"
)

// pageObjects is the most that every provider gives in one page.
const pageObjects = 1000

var (
	errMalformed = errors.New("answer without what every storage sends")
	errNoBucket  = errors.New("no such bucket")
	errTooMany   = errors.New("too many objects")
)

// bucket is a bucket, with what gocloud leaves to the types of each provider's SDK.
type bucket struct {
	*blob.Bucket
	// version differs between any two contents that an object ever has.
	version func(as asFunc) string
	// answer is what the server said, as far as the error holds it.
	answer func(err error) answer
	// beforeRead and beforeList may be nil.
	beforeRead, beforeList func(as asFunc) error
	// escaped are characters that gocloud does not send as they are.
	escaped string
}

// asFunc sets a pointer to the value of the SDK if that is of its type.
type asFunc = func(any) bool

func (b *bucket) stat(ctx context.Context, name string) (found object, err error) {
	defer recoverMalformed(&err)
	if err := b.checkName(name); err != nil {
		return object{}, err
	}
	attributes, err := b.Attributes(ctx, name)
	if err != nil {
		return object{}, err
	}
	return object{name, b.version(attributes.As), attributes.Size}, nil
}

// list gives the objects under a prefix that are wanted, errTooMany if those are more
// than limit.
func (b *bucket) list(ctx context.Context, prefix string, limit int, wanted func(*blob.ListObject) bool) ([]object, error) {
	var found []object
	for token := blob.FirstPageToken; len(token) > 0; {
		page, next, err := b.page(ctx, prefix, token, pageObjects)
		if err != nil {
			return nil, err
		}
		for _, listed := range page {
			if ctx.Err() != nil { // patterns and names can be made to take long
				return nil, ctx.Err()
			}
			if !wanted(listed) {
				continue
			}
			if err := b.checkName(listed.Key); err != nil {
				return nil, err
			}
			found = append(found, object{listed.Key, b.version(listed.As), listed.Size})
		}
		if len(found) > limit {
			return nil, errTooMany
		}
		token = next
	}
	return found, nil
}

// page gives a page of a list. That it does not find something means the bucket.
func (b *bucket) page(ctx context.Context, prefix string, token []byte, size int) (page []*blob.ListObject, next []byte, err error) {
	defer recoverMalformed(&err)
	page, next, err = b.ListPage(ctx, token, size, &blob.ListOptions{Prefix: prefix, BeforeList: b.beforeList})
	if err != nil && reasonOf(b.answer(err)) == ReasonNotFound {
		err = errNoBucket
	}
	return page, next, err
}

// open gives the content of an object, or ErrChanged if that is another than was found.
func (b *bucket) open(ctx context.Context, wanted object) (content io.ReadCloser, err error) {
	defer recoverMalformed(&err)
	reader, err := b.NewReader(expectContent(ctx), wanted.name, &blob.ReaderOptions{BeforeRead: b.beforeRead})
	if err != nil {
		if reasonOf(b.answer(err)) == ReasonNotFound {
			return nil, ErrChanged
		}
		return nil, err
	}
	if b.version(reader.As) != wanted.version {
		_ = reader.Close()
		return nil, ErrChanged
	}
	return reader, nil
}

// checkName refuses names that gocloud would ask for under another one.
func (b *bucket) checkName(name string) error {
	special := func(r rune) bool { return r < ' ' || strings.ContainsRune(b.escaped, r) }
	if strings.Contains(name, "../") || strings.ContainsFunc(name, special) {
		return &Error{ReasonInvalidURL, `the name of an object has "../", a control character or, in Azure, one of " # % ? \; rename it`}
	}
	return nil
}

// recoverMalformed makes an error of a panic: where an answer leaves out what every
// server sends, such as the time of the last change, gocloud dereferences nil.
func recoverMalformed(err *error) {
	if recover() != nil {
		*err = errMalformed
	}
}
