package parquet

import "io"

// jsonRow is a record as a line of JSON. What has no value is left out of objects.
type jsonRow struct {
	json    []byte
	most    int  // bytes that it may have
	tooLong bool // nothing is appended any more, but the columns are read on
}

var jsonNull, jsonEmpty = []byte("null"), []byte(`""`)

func (r *jsonRow) write(part ...byte) {
	if r.tooLong = r.tooLong || len(r.json)+len(part) > r.most; !r.tooLong {
		r.json = append(r.json, part...)
	}
}

// record appends an object of the nodes.
func (r *jsonRow) record(nodes []*fieldNode) error {
	r.json, r.tooLong = r.json[:0], false
	r.write('{')
	first := true
	for _, node := range nodes {
		if err := r.field(node, &first); err != nil {
			return err
		}
	}
	r.write('}')
	return nil
}

// field appends a node with its key, unless it has no value.
func (r *jsonRow) field(node *fieldNode, first *bool) error {
	start := len(r.json)
	if !*first {
		r.write(',')
	}
	r.write(node.key...)
	found, err := r.node(node)
	if !found {
		r.json = r.json[:start]
		return err
	}
	*first = false
	return err
}

// node appends a node's value, if it has one.
func (r *jsonRow) node(node *fieldNode) (found bool, err error) {
	column := node.columns[0]
	if err := column.peek(); err != nil {
		return false, ended(err)
	}
	if column.definition() < node.defined {
		return false, pass(node.columns)
	}
	switch node.kind {
	case valueNode:
		return r.value(column)
	case listNode:
		return true, r.list(node)
	case mapNode:
		return true, r.entries(node)
	}
	return true, r.object(node)
}

func (r *jsonRow) value(column *columnReader) (found bool, err error) {
	if column.value >= column.values {
		return false, errColumn
	}
	start := len(r.json)
	if !r.tooLong {
		r.json = column.append(r.json, column.value)
	}
	found = r.tooLong || len(r.json) > start
	r.tooLong = r.tooLong || len(r.json) > r.most
	return found, column.pass()
}

func (r *jsonRow) object(node *fieldNode) error {
	r.write('{')
	first := true
	for _, child := range node.children {
		if err := r.field(child, &first); err != nil {
			return err
		}
	}
	r.write('}')
	return nil
}

func (r *jsonRow) list(node *fieldNode) error {
	r.write('[')
	err := node.elements(func(first bool) error {
		if !first {
			r.write(',')
		}
		found, err := r.node(node.children[0])
		if !found {
			r.write(jsonNull...)
		}
		return err
	})
	r.write(']')
	return err
}

func (r *jsonRow) entries(node *fieldNode) error {
	r.write('{')
	isEmpty := true
	err := node.elements(func(bool) error {
		start := len(r.json)
		if !isEmpty {
			r.write(',')
		}
		if err := r.mapKey(node.children[0]); err != nil {
			return err
		}
		r.write(':')
		found, err := r.node(node.children[1])
		if !found {
			r.json = r.json[:start]
			return err
		}
		isEmpty = false
		return err
	})
	r.write('}')
	return err
}

// mapKey appends a key as a string, which those of objects are.
func (r *jsonRow) mapKey(key *fieldNode) error {
	start := len(r.json)
	found, err := r.node(key)
	switch {
	case !found:
		r.write(jsonEmpty...)
	case !r.tooLong && r.json[start] != '"':
		r.json = append(r.json, 0, '"')
		copy(r.json[start+1:], r.json[start:])
		r.json[start], r.json[len(r.json)-1] = '"', '"'
	}
	return err
}

// elements lets use read each element of a list or map.
func (n *fieldNode) elements(use func(first bool) error) error {
	column := n.columns[0]
	if column.definition() < n.element {
		return pass(n.columns)
	}
	for first := true; ; first = false {
		if err := use(first); err != nil {
			return err
		}
		err := column.peek()
		if isEnd(err) {
			return nil
		}
		if err != nil || column.repetition() != n.repeat {
			return err
		}
	}
}

// pass goes past a value that is not there.
func pass(columns []*columnReader) error {
	for _, column := range columns {
		if err := column.peek(); err != nil {
			return ended(err)
		}
		if err := column.pass(); err != nil {
			return err
		}
	}
	return nil
}

// ended says of an end that comes too early that it is none.
func ended(err error) error {
	if isEnd(err) {
		return io.ErrUnexpectedEOF
	}
	return err
}
