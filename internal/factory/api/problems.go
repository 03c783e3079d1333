package api

import (
	encodingjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/classifier-factory/classifier-factory/internal/factory/blob"
	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

// problem is an answer that is not 200. What an operation returns as another
// error is the server's own fault.
type problem struct {
	Status  int    `json:"-"`
	Detail  any    `json:"detail"` // a sentence, or a list of fieldErrors
	Message string `json:"message,omitzero"`

	Envelope *envelope `json:"-"` // what is written instead
}

func (p *problem) Error() string {
	return fmt.Sprintf("%d: %v", p.Status, p.Detail)
}

// envelope is how parts of the hosted service write problems.
type envelope struct {
	Object  string  `json:"object"`
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    string  `json:"code"`
}

// fieldError says what is wrong with a part of a request. The SDKs require the
// list form of 422 on the routes of models and classifications.
type fieldError struct {
	Type     string         `json:"type"`
	Location []any          `json:"loc"` // strings and indices
	Message  string         `json:"msg"`
	Context  map[string]any `json:"ctx,omitzero"`
}

var (
	errUnauthorized     = &problem{Status: http.StatusUnauthorized, Detail: "Unauthorized"}
	errTimeout          = &problem{Status: http.StatusRequestTimeout, Detail: "The request did not arrive in time."}
	errTooLarge         = &problem{Status: http.StatusRequestEntityTooLarge, Detail: "Request Entity Too Large"}
	errMethodNotAllowed = &problem{Status: http.StatusMethodNotAllowed, Detail: "Method Not Allowed"}
	errInternal         = &problem{Status: http.StatusInternalServerError, Detail: "Internal Server Error"}
	errSignedURL        = &problem{Status: http.StatusForbidden, Detail: "The signed URL is invalid or has expired."}
	errOtherModel       = &problem{Status: http.StatusForbidden, Detail: "The key is for other models than this one."}

	// errNoRoute is also the answer to the hosted service's other routes.
	errNoRoute = &problem{Status: http.StatusNotFound, Detail: "There is no such route here. This server is a Classifier Factory: it trains classifiers and classifies texts with them, and runs no language model."}

	errDiskFull = &problem{Status: http.StatusInsufficientStorage, Detail: "The server's disk is full. Nothing was changed; delete files or models, or ask the server's operator."}
	errReadOnly = &problem{Status: http.StatusInsufficientStorage, Detail: "The server's disk cannot be written to. Nothing was changed; reading goes on. Ask the server's operator."}

	errUnstorable = unprocessable("A text has the character U+0000 or bytes that are no UTF-8, which the server's database cannot keep.")

	// errClientGone is for logs and metrics alone: nobody reads it any more. It is what
	// nginx calls that.
	errClientGone = &problem{Status: 499, Detail: "Client Closed Request"}
)

// unprocessable is a 422 whose detail is a sentence.
func unprocessable(format string, arguments ...any) *problem {
	return &problem{Status: http.StatusUnprocessableEntity, Detail: fmt.Sprintf(format, arguments...)}
}

// invalidField is a 422 whose detail is a list.
func invalidField(kind, message string, location ...any) *problem {
	return &problem{Status: http.StatusUnprocessableEntity, Detail: []fieldError{{Type: kind, Location: append([]any{"body"}, location...), Message: message}}}
}

// invalidValue is an invalidField about a value of the right type.
func invalidValue(message string, location ...any) *problem {
	return &problem{Status: http.StatusUnprocessableEntity, Detail: []fieldError{{
		Type:     "value_error",
		Location: append([]any{"body"}, location...),
		Message:  "Value error, " + message,
		Context:  map[string]any{"error": message},
	}}}
}

// emptyList is an invalidField about a list that needs an element.
func emptyList(location ...any) *problem {
	return invalidField("too_short", "List should have at least 1 item after validation, not 0", location...)
}

// maxModelIDBytes is how much of an unknown model's ID is repeated.
const maxModelIDBytes = 256

// invalidModel is what the hosted service answers when it is to classify with a model
// that there is none of.
func invalidModel(id string) *problem {
	id = strings.ToValidUTF8(id[:min(len(id), maxModelIDBytes)], "")
	return &problem{Status: http.StatusBadRequest, Envelope: &envelope{Object: "error", Message: "Invalid model: " + id, Type: "invalid_model", Code: "1500"}}
}

// notFoundAs turns store.ErrNotFound into a 404 with a sentence.
func notFoundAs(err error, detail string) error {
	if errors.Is(err, store.ErrNotFound) {
		return &problem{Status: http.StatusNotFound, Detail: detail}
	}
	return err
}

// damagedAs turns a blob.DamagedError into a sentence about what needs the bytes.
func damagedAs(err error, kind, id, repair string) error {
	damaged, ok := errors.AsType[*blob.DamagedError](err)
	if !ok {
		return err
	}
	state := "damaged"
	if damaged.Missing {
		state = "missing"
	}
	answer := &problem{Status: http.StatusInternalServerError, Detail: fmt.Sprintf(
		"The bytes of the %s %s are %s on the server's disk. %s, or ask the server's operator to restore them from a backup.", kind, id, state, repair)}
	return fmt.Errorf("%w: %w", answer, err)
}

// overQuota turns a store.QuotaError into a 403 with its sentence.
func overQuota(err error) error {
	if over, ok := errors.AsType[*store.QuotaError](err); ok {
		return &problem{Status: http.StatusForbidden, Detail: over.Error()}
	}
	return err
}

// bodyProblem explains why a JSON body was not understood. It never repeats what
// the body says.
func bodyProblem(err error) error {
	var tooLarge *http.MaxBytesError
	var syntactic *jsontext.SyntacticError
	var semantic *json.SemanticError
	var known *problem
	var member *encodingjson.UnmarshalTypeError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &tooLarge):
		return errTooLarge
	case errors.Is(err, json.ErrUnknownName) && errors.As(err, &semantic):
		return invalidField("extra_forbidden", "Extra inputs are not permitted", location(semantic.JSONPointer)...)
	case errors.Is(err, jsontext.ErrDuplicateName) && errors.As(err, &syntactic):
		return invalidField("json_invalid", "Duplicate name", location(syntactic.JSONPointer)...)
	case errors.As(err, &syntactic) && isNoUnicode(syntactic):
		return invalidField("string_unicode", "Input should be a valid string, unable to parse raw data as a unicode string", location(syntactic.JSONPointer)...)
	case errors.As(err, &syntactic):
		return invalidField("json_invalid", "JSON decode error", syntactic.ByteOffset)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return invalidField("json_invalid", "The body ends before its JSON value does")
	case errors.As(err, &semantic) && errors.As(err, &member): // of a type that reads its members itself
		kind, message := typeMessage(member.Type)
		return invalidField(kind, message, append(location(semantic.JSONPointer), memberPath(member.Field)...)...)
	case errors.As(err, &semantic):
		kind, message := typeMessage(semantic.GoType)
		return invalidField(kind, message, location(semantic.JSONPointer)...)
	}
	return err
}

// isNoUnicode tells strings with half a surrogate, as languages leave that cut texts by
// UTF-16 units, and with bytes that are no UTF-8 from other errors of syntax. They have
// a place, which is the object's if it is one of its names.
func isNoUnicode(err *jsontext.SyntacticError) bool {
	cause := err.Err.Error()
	return strings.HasPrefix(cause, "invalid surrogate pair") || strings.HasPrefix(cause, "invalid UTF-8")
}

// memberPath turns the dotted names of encoding/json into a list.
func memberPath(names string) (parts []any) {
	if names == "" {
		return nil
	}
	for name := range strings.SplitSeq(names, ".") {
		parts = append(parts, name)
	}
	return parts
}

// location turns a JSON pointer into the list of its names and indices.
func location(pointer jsontext.Pointer) []any {
	var parts []any
	for token := range pointer.Tokens() {
		if index, err := strconv.Atoi(token); err == nil {
			parts = append(parts, index)
		} else {
			parts = append(parts, token)
		}
	}
	return parts
}

// typeMessage says which type was expected, in the terms of the hosted service.
func typeMessage(expected reflect.Type) (kind, message string) {
	if expected != nil {
		switch expected.Kind() {
		case reflect.String:
			return "string_type", "Input should be a valid string"
		case reflect.Bool:
			return "bool_type", "Input should be a valid boolean"
		case reflect.Int64:
			return "int_type", "Input should be a valid integer"
		case reflect.Float64:
			return "float_type", "Input should be a valid number"
		case reflect.Slice:
			return "list_type", "Input should be a valid list"
		}
	}
	return "dict_type", "Input should be a valid dictionary"
}
