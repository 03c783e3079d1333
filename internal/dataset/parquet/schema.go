package parquet

import (
	"fmt"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// maxReadColumns are read of a file at a time; each takes a few buffers.
const maxReadColumns = 512

// maxFixedBytes is the longest value of a fixed length: the library makes room for a
// batch of them.
const maxFixedBytes = 4096

// fieldNode is a column, or what groups columns, and how it becomes JSON.
type fieldNode struct {
	key     []byte // as JSON, with the colon behind it
	kind    nodeKind
	defined int16 // the definition level from which on it is there
	element int16 // of a list or map: the one from which on it has an element
	repeat  int16 // of a list or map: the repetition level of its next element

	columns  []*columnReader // that are within it
	children []*fieldNode    // of an object all, of a list the element, of a map key and value
}

type nodeKind int

const (
	valueNode nodeKind = iota
	objectNode
	listNode
	mapNode
)

// fileSchema makes nodes of a file's schema.
type fileSchema struct {
	schema  *schema.Schema
	columns []*columnReader
}

// nodes are those of the columns that are wanted, of the outermost.
func (s *fileSchema) nodes(isWanted func(column string) bool) ([]*fieldNode, error) {
	root := s.schema.Root()
	var nodes []*fieldNode
	for i := range root.NumFields() {
		if !isWanted(root.Field(i).Name()) {
			continue
		}
		node, err := s.node(root.Field(i), 0, 0)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}

// node makes a node of a field within so many optional or repeated ones.
func (s *fileSchema) node(field schema.Node, defined, repeat int16) (*fieldNode, error) {
	if field.RepetitionType() == parquet.Repetitions.Repeated { // which is a list, or nothing says so
		element, err := s.content(field, defined+1, repeat+1)
		if err != nil {
			return nil, err
		}
		return &fieldNode{key: keyOf(field), kind: listNode, defined: defined, element: defined + 1, repeat: repeat + 1,
			columns: element.columns, children: []*fieldNode{element}}, nil
	}
	if field.RepetitionType() == parquet.Repetitions.Optional {
		defined++
	}
	return s.content(field, defined, repeat)
}

// content makes a node of a field as one that is there from a definition level on.
func (s *fileSchema) content(field schema.Node, defined, repeat int16) (*fieldNode, error) {
	group, ok := field.(*schema.GroupNode)
	if !ok {
		return s.value(field, defined)
	}
	if group.NumFields() == 1 && group.Field(0).RepetitionType() == parquet.Repetitions.Repeated {
		switch group.LogicalType().(type) {
		case schema.ListLogicalType:
			return s.listOf(group, defined, repeat)
		case schema.MapLogicalType:
			return s.mapOf(group, defined, repeat)
		}
		if group.ConvertedType() == schema.ConvertedTypes.MapKeyValue { // as some wrote for a map
			return s.mapOf(group, defined, repeat)
		}
	}
	node := &fieldNode{key: keyOf(field), kind: objectNode, defined: defined}
	for i := range group.NumFields() {
		if err := s.adopt(node, group.Field(i), defined, repeat); err != nil {
			return nil, err
		}
	}
	return node, nil
}

// listOf makes a node of a group whose one field is repeated. That field is either the
// element itself or, as the standard has it now, stands around the element.
func (s *fileSchema) listOf(group *schema.GroupNode, defined, repeat int16) (*fieldNode, error) {
	node := &fieldNode{key: keyOf(group), kind: listNode, defined: defined, element: defined + 1, repeat: repeat + 1}
	repeated := group.Field(0)
	if inner, ok := repeated.(*schema.GroupNode); ok && inner.NumFields() == 1 && !isElement(inner, group) {
		return node, s.adopt(node, inner.Field(0), node.element, node.repeat)
	}
	element, err := s.content(repeated, node.element, node.repeat)
	if err != nil {
		return nil, err
	}
	node.columns, node.children = element.columns, []*fieldNode{element}
	return node, nil
}

// isElement tells by the names that older programs gave.
func isElement(repeated *schema.GroupNode, list schema.Node) bool {
	return repeated.Name() == "array" || repeated.Name() == list.Name()+"_tuple" ||
		repeated.Field(0).RepetitionType() == parquet.Repetitions.Repeated
}

// mapOf makes a node of a group whose one field is repeated and has keys and values.
func (s *fileSchema) mapOf(group *schema.GroupNode, defined, repeat int16) (*fieldNode, error) {
	node := &fieldNode{key: keyOf(group), kind: mapNode, defined: defined, element: defined + 1, repeat: repeat + 1}
	entry, ok := group.Field(0).(*schema.GroupNode)
	if !ok || entry.NumFields() != 2 || entry.Field(0).Type() != schema.Primitive || entry.Field(0).RepetitionType() == parquet.Repetitions.Repeated {
		return nil, unsupportedColumn(group, "is a map without a key and a value")
	}
	for i := range entry.NumFields() {
		if err := s.adopt(node, entry.Field(i), node.element, node.repeat); err != nil {
			return nil, err
		}
	}
	return node, nil
}

// adopt makes a child of the field.
func (s *fileSchema) adopt(parent *fieldNode, field schema.Node, defined, repeat int16) error {
	child, err := s.node(field, defined, repeat)
	if err != nil {
		return err
	}
	parent.children = append(parent.children, child)
	parent.columns = append(parent.columns, child.columns...)
	return nil
}

// value makes a node of a column.
func (s *fileSchema) value(field schema.Node, defined int16) (*fieldNode, error) {
	primitive, ok := field.(*schema.PrimitiveNode)
	if !ok {
		return nil, unsupportedColumn(field, "is neither a value nor a group")
	}
	index := s.schema.ColumnIndexByNode(field)
	if index < 0 {
		return nil, unsupportedColumn(field, "is not a column")
	}
	if length := primitive.TypeLength(); primitive.PhysicalType() == parquet.Types.FixedLenByteArray && (length <= 0 || length > maxFixedBytes) {
		return nil, unsupportedColumn(field, fmt.Sprintf("has values of %d bytes", length))
	}
	if decimal, ok := primitive.LogicalType().(schema.DecimalLogicalType); ok && (decimal.Scale() < 0 || decimal.Scale() > maxDecimalBytes) {
		return nil, unsupportedColumn(field, fmt.Sprintf("has decimals with %d digits behind the point", decimal.Scale()))
	}
	if len(s.columns) == maxReadColumns {
		return nil, unsupported("the columns to read have more than %d fields", maxReadColumns)
	}
	column := newColumnReader(s.schema.Column(index), index)
	s.columns = append(s.columns, column)
	return &fieldNode{key: keyOf(field), kind: valueNode, defined: defined, columns: []*columnReader{column}}, nil
}

func unsupportedColumn(field schema.Node, detail string) error {
	return unsupported("column %.64q %s", field.Path(), detail)
}

func keyOf(field schema.Node) []byte { return append(appendQuoted(nil, []byte(field.Name())), ':') }
