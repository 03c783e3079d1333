package parquet

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"

	"github.com/apache/thrift/lib/go/thrift"
)

const (
	magic          = "PAR1"
	encryptedMagic = "PARE" // the footer, too
	// maxFooterBytes is a hundred times that of a table with twenty columns and a hundred
	// row groups. In memory it takes ten times as much.
	maxFooterBytes = 4 << 20
	// maxSchemaElements are columns and what groups them.
	maxSchemaElements = 4096
)

// checkFooter looks at what the library believes of a footer: it makes room for as many
// list elements and columns as are declared, and ends the process if there is none.
func checkFooter(file *io.SectionReader, maxDepth int) error {
	footer, err := readFooter(file)
	if err != nil {
		return err
	}
	check := newFooterCheck(footer)
	if err := check.Skip(context.Background(), thrift.STRUCT); err != nil {
		return corrupt("its footer cannot be read")
	}
	return newFooterCheck(footer).file(maxDepth)
}

// readFooter returns the footer, which stands before its length and the magic bytes.
func readFooter(file *io.SectionReader) ([]byte, error) {
	const end = 4 + len(magic)
	if file.Size() < int64(len(magic)+end) {
		return nil, corrupt("it is cut off")
	}
	var tail [end]byte
	if _, err := file.ReadAt(tail[:], file.Size()-int64(end)); err != nil && !isEnd(err) {
		return nil, err
	}
	switch string(tail[4:]) {
	case magic:
	case encryptedMagic:
		return nil, errEncrypted
	default:
		return nil, corrupt("it does not end as Parquet does, and is most likely cut off")
	}
	size := int64(binary.LittleEndian.Uint32(tail[:]))
	if size > file.Size()-int64(len(magic)+end) {
		return nil, corrupt("its footer is longer than the file")
	}
	if size > maxFooterBytes {
		return nil, unsupported("the footer has %d bytes; it may have %d. Write fewer columns or larger row groups", size, maxFooterBytes)
	}
	footer := make([]byte, size)
	if _, err := file.ReadAt(footer, file.Size()-int64(end)-size); err != nil && !isEnd(err) {
		return nil, err
	}
	return footer, nil
}

// footerCheck reads a footer without keeping anything. Of lists it believes no size that
// is more than the footer's own.
type footerCheck struct{ *thrift.TCompactProtocol }

func newFooterCheck(footer []byte) footerCheck {
	transport := &thrift.TMemoryBuffer{Buffer: bytes.NewBuffer(footer)}
	return footerCheck{thrift.NewTCompactProtocolConf(transport, &thrift.TConfiguration{MaxMessageSize: int32(len(footer))})} //nolint:gosec // at most maxFooterBytes
}

// The fields of parquet.thrift that are looked at.
const (
	schemaOfFile      = 2
	encryptionOfFile  = 8
	childrenOfElement = 5
)

// file reads the footer's outermost object.
func (c footerCheck) file(maxDepth int) error {
	return c.fields(func(field int16, kind thrift.TType) error {
		switch {
		case field == schemaOfFile && kind == thrift.LIST:
			return c.schema(maxDepth)
		case field == encryptionOfFile:
			return errEncrypted
		}
		return c.Skip(context.Background(), kind)
	})
}

// fields reads an object, of which read has to read each field.
func (c footerCheck) fields(read func(field int16, kind thrift.TType) error) error {
	if _, err := c.ReadStructBegin(context.Background()); err != nil {
		return err
	}
	for {
		_, kind, field, err := c.ReadFieldBegin(context.Background())
		if err != nil {
			return err
		}
		if kind == thrift.STOP {
			return c.ReadStructEnd(context.Background())
		}
		if err := read(field, kind); err != nil {
			return err
		}
	}
}

// schema checks that the elements make a tree: each says how many of those that follow
// it has for children.
func (c footerCheck) schema(maxDepth int) error {
	_, elements, err := c.ReadListBegin(context.Background())
	if err != nil {
		return err
	}
	if elements > maxSchemaElements {
		return unsupported("the file has more than %d columns; write those alone that are needed", maxSchemaElements)
	}
	left := []int{1} // children that elements on the way to the next one have yet to have
	for range elements {
		children, err := c.children()
		if err != nil {
			return err
		}
		for len(left) > 0 && left[len(left)-1] == 0 {
			left = left[:len(left)-1]
		}
		if len(left) == 0 || children < 0 || children > elements {
			return corrupt("its columns contradict each other")
		}
		if len(left) > maxDepth {
			return unsupported("columns are nested in more than %d levels", maxDepth)
		}
		left[len(left)-1]--
		left = append(left, children)
	}
	for _, missing := range left {
		if missing > 0 {
			return corrupt("its columns contradict each other")
		}
	}
	return nil
}

// children reads an element of the schema.
func (c footerCheck) children() (children int, err error) {
	err = c.fields(func(field int16, kind thrift.TType) error {
		if field == childrenOfElement && kind == thrift.I32 {
			declared, err := c.ReadI32(context.Background())
			children = int(declared)
			return err
		}
		return c.Skip(context.Background(), kind)
	})
	return children, err
}
