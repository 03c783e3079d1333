package api

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

// closedObject refuses members that a request does not have.
var closedObject = json.RejectUnknownMembers(true)

// decodeBody reads a JSON body. What it returns otherwise is an answer.
func decodeBody(r *http.Request, request any, options ...json.Options) error {
	if err := json.UnmarshalRead(r.Body, request, options...); err != nil {
		return bodyProblem(err)
	}
	return nil
}

const (
	defaultPageSize = 100
	maxPageSize     = 1000
	maxPageNumber   = 1 << 30
)

// query reads query parameters and keeps the first problem with one.
type query struct {
	values  url.Values
	problem error
}

func newQuery(r *http.Request) *query {
	return &query{values: r.URL.Query()}
}

func (q *query) fail(name, expected string) {
	if q.problem == nil {
		q.problem = unprocessable("The query parameter %s must be %s.", name, expected)
	}
}

func (q *query) page() store.Page {
	return store.Page{Number: q.integer("page", 0, 0, maxPageNumber), Size: q.integer("page_size", defaultPageSize, 1, maxPageSize)}
}

func (q *query) integer(name string, absent, lowest, highest int) int {
	text := q.values.Get(name)
	if text == "" {
		return absent
	}
	value, err := strconv.Atoi(text)
	if err != nil || value < lowest || value > highest {
		q.fail(name, "an integer from "+strconv.Itoa(lowest)+" to "+strconv.Itoa(highest))
		return absent
	}
	return value
}

func (q *query) boolean(name string, absent bool) bool {
	text := q.values.Get(name)
	if text == "" {
		return absent
	}
	value, err := strconv.ParseBool(text)
	if err != nil {
		q.fail(name, "true or false")
	}
	return value
}

func (q *query) time(name string) time.Time {
	text := q.values.Get(name)
	if text == "" {
		return time.Time{}
	}
	value, err := time.Parse(time.RFC3339, text)
	if err != nil {
		q.fail(name, "a date and time as of RFC 3339")
	}
	return value
}
