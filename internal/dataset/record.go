package dataset

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// recordReader finds the fields that a mapping reads in records, which are objects of
// JSON, and checks all else of them.
type recordReader struct {
	scanner
	shape   shape
	fields  []recordField // by their paths, sorted
	keys    []int         // the lengths of the keys that lead to the value being read
	records int
	first   []string // keys of the first record
	doubt   string   // about the record that was read last
}

// recordField is a field and what it has in the record that was read last.
type recordField struct {
	path   string
	value  []byte // as the record writes it; nil: it has none
	keys   []int  // the lengths of the keys that led to the value
	folder []byte // what records have that have none, by the name of the part's folder
	seen   bool   // in any record
}

func newRecordReader(mapping *Mapping, limits Limits) recordReader {
	r := recordReader{scanner: scanner{maxDepth: limits.Depth}}
	for _, path := range mapping.fields() {
		r.fields = append(r.fields, recordField{path: path})
	}
	return r
}

// index is where the field is; -1: it is none of them.
func (r *recordReader) index(path string) int {
	if at, found := r.find(path, r.all()); found {
		return at
	}
	return -1
}

func (r *recordReader) paths() (paths []string) {
	for i := range r.fields {
		paths = append(paths, r.fields[i].path)
	}
	return paths
}

func (r *recordReader) all() pathRange { return pathRange{end: len(r.fields)} }

// enterPart takes the fields that the names of the part's folders have.
func (r *recordReader) enterPart(part string) {
	for i := range r.fields {
		r.fields[i].folder = nil
	}
	for _, folder := range folderFields(part) {
		if i := r.index(folder.name); i >= 0 {
			r.fields[i].folder = folder.value
		}
	}
}

// read reads a record. When it returns false, problem says why.
func (r *recordReader) read(record []byte) bool {
	r.reset(record)
	r.doubt = ""
	if r.records == 0 {
		r.first = r.first[:0]
	}
	for i := range r.fields {
		r.fields[i].value = nil
	}
	if !r.expect('{', NotAnObject, "the record is not an object") {
		return false
	}
	r.readFields(&r.shape, r.all())
	r.end()
	if r.failed {
		return false
	}
	r.records++
	for i := range r.fields {
		field := &r.fields[i]
		if field.value == nil {
			field.value = field.folder
		}
		field.seen = field.seen || field.value != nil
	}
	return true
}

// readFields reads an object in which the fields of the range are, and of which others
// may have the shape.
func (r *recordReader) readFields(shape *shape, within pathRange) {
	object := r.beginObject(shape)
	for r.nextKey(&object) {
		if r.records == 0 && len(r.keys) == 0 && len(r.first) <= listedNames {
			r.first = append(r.first, strings.Clone(object.key))
		}
		r.keys = append(r.keys, len(object.key))
		r.readField(object.key, within)
		r.keys = r.keys[:len(r.keys)-1]
	}
}

// readField reads the value of a key.
func (r *recordReader) readField(key string, within pathRange) {
	at, named := r.find(key, within)
	inside := r.rangeOf(key, within)
	isObject := r.token() == '{'
	start := r.position
	if isObject && inside.first < inside.end {
		r.readFields(nil, inside)
	} else {
		r.skip()
	}
	if r.failed {
		return
	}
	switch value := r.data[start:r.position]; {
	case named:
		r.fields[at].offer(value, r.keys)
	case len(r.keys) == 1:
		r.judge(key, value)
	}
}

// judge notes what speaks against the record in a field that the mapping does not read.
func (r *recordReader) judge(field string, value []byte) {
	if doubt := doubtOf(field, value); doubt != "" {
		r.doubt = doubt
	}
}

// offer takes the value unless the record has one already to which longer keys led: of
// the ways to read a path's dots the one goes before that takes more of them for a key's.
func (f *recordField) offer(value []byte, keys []int) {
	if f.value == nil || slices.Compare(keys, f.keys) > 0 {
		f.value, f.keys = value, append(f.keys[:0], keys...)
	}
}

// pathRange is fields that all lead into one object, and how much of their paths does.
type pathRange struct {
	first, end int
	size       int
}

// find looks for the field of the range whose path ends with the key.
func (r *recordReader) find(key string, within pathRange) (at int, found bool) {
	at, found = slices.BinarySearchFunc(r.fields[within.first:within.end], key,
		func(field recordField, key string) int { return cmp.Compare(field.path[within.size:], key) })
	return within.first + at, found
}

// rangeOf is the fields of the range that are within the key's object.
func (r *recordReader) rangeOf(key string, within pathRange) pathRange {
	compare := func(field recordField, key string) int { return compareWithin(field.path[within.size:], key) }
	first, found := slices.BinarySearchFunc(r.fields[within.first:within.end], key, compare)
	first += within.first
	end := first
	for found && end < within.end && compare(r.fields[end], key) == 0 {
		end++
	}
	return pathRange{first: first, end: end, size: within.size + len(key) + len(".")}
}

// compareWithin is 0 if the path leads into the key's object, and otherwise tells on
// which side of those that do it is sorted.
func compareWithin(path, key string) int {
	if len(path) <= len(key) {
		return cmp.Or(strings.Compare(path, key[:len(path)]), -1)
	}
	return cmp.Or(strings.Compare(path[:len(key)], key), cmp.Compare(path[len(key)], '.'))
}

// missingField says which field no record has: most likely it is called otherwise.
func (r *recordReader) missingField() *InvalidDatasetError {
	if r.records == 0 {
		return nil
	}
	for i := range r.fields {
		if field := &r.fields[i]; !field.seen {
			return &InvalidDatasetError{Reason: MissingField,
				Detail: fmt.Sprintf("no record has the field %s, which mapping names; the first has %s", quote(field.path), r.firstKeys())}
		}
	}
	return nil
}

func (r *recordReader) firstKeys() string {
	var listed []string
	for _, key := range r.first[:min(len(r.first), listedNames)] {
		listed = append(listed, quote(key))
	}
	switch {
	case len(r.first) == 0:
		return "none"
	case len(r.first) > listedNames:
		return strings.Join(listed, ", ") + " and more"
	}
	return strings.Join(listed, ", ")
}
