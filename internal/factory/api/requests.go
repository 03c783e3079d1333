package api

import (
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

// closedObject refuses members that a request does not have.
var closedObject = json.RejectUnknownMembers(true)

// decodeBody reads a JSON body. What it returns otherwise is an answer.
func decodeBody(r *http.Request, request any, options ...json.Options) error {
	body, err := readPieces(r.Body, r.ContentLength)
	if err == nil {
		err = json.Unmarshal(body, request, options...)
	}
	if err != nil {
		return bodyProblem(err)
	}
	return nil
}

// pieceBytes is how much is copied at a time. While Go copies it can stop nobody, and
// where somebody is to be stopped, such as for a collection of garbage, all wait.
const pieceBytes = 256 << 10

// firstPiece is how much is read at first: of a short body all, and a byte more, in which its
// end is found. One that claims to be long has to be.
func firstPiece(length int64) int {
	const most = 4 << 10
	if length < 0 || length >= most {
		return most
	}
	return int(length) + 1
}

// readPieces reads to the end, of a body of that length if it is known, without a buffer that is
// copied whenever it grows.
func readPieces(r io.Reader, length int64) ([]byte, error) {
	var pieces [][]byte
	size := 0
	for {
		piece := make([]byte, 0, min(max(firstPiece(length), size), pieceBytes))
		for len(piece) < cap(piece) {
			n, err := r.Read(piece[len(piece):cap(piece)])
			piece = piece[:len(piece)+n]
			if err == io.EOF {
				return joinPieces(append(pieces, piece), size+len(piece)), nil
			}
			if err != nil {
				return nil, err
			}
		}
		pieces, size = append(pieces, piece), size+len(piece)
	}
}

func joinPieces(pieces [][]byte, size int) []byte {
	if len(pieces) == 1 {
		return pieces[0]
	}
	joined := make([]byte, 0, size)
	for i, piece := range pieces {
		joined = append(joined, piece...)
		pieces[i] = nil
	}
	return joined
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
	value, ok := parseTime(text)
	if !ok {
		q.fail(name, "a date and time as of RFC 3339, a date, or Unix seconds")
	}
	return value
}

// timeLayouts are how clients write times. Without a zone they are of UTC.
var timeLayouts = []string{
	time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", time.DateTime,
	"2006-01-02T15:04Z07:00", "2006-01-02T15:04", time.DateOnly,
}

func parseTime(text string) (time.Time, bool) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		// A Duration ends in the year 2262.
		return time.Unix(0, 0).Add(time.Duration(seconds * float64(time.Second))), seconds >= 0 && seconds < math.MaxInt64/float64(time.Second)
	}
	if space := strings.LastIndexByte(text, ' '); space > len(time.DateOnly) {
		text = text[:space] + "+" + text[space+1:] // a zone's plus sign that was not escaped
	}
	for _, layout := range timeLayouts {
		if value, err := time.Parse(layout, text); err == nil {
			return value, true
		}
	}
	return time.Time{}, false
}
