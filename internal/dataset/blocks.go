package dataset

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// Snappy and LZ4 have a format of files, which has a sign, and one of blocks, which has
// none. Hadoop, and with it Spark and Hive, writes blocks with their sizes before them.
// They are told by sizes that fit and by their first literal, which is the data's start.

const (
	ofHadoop = ", in blocks as Hadoop, Hive and Spark write it"
	hadoop   = "hadoop fs -text FILE > OTHER"
)

// inBlocks says by what blocks are compressed; nil: nothing that is known.
func inBlocks(head []byte) *foreign {
	if size, block, ok := hadoopBlock(head); ok {
		if startsSnappy(block, size) {
			return new(inCompression("compressed by Snappy"+ofHadoop, hadoop))
		}
		if startsLZ4(block) {
			return new(inCompression("compressed by LZ4"+ofHadoop, hadoop))
		}
	}
	if size, read := binary.Uvarint(head); read > 0 && startsSnappy(head, size) {
		return new(inCompression("compressed by Snappy, as one block", "Python's snappy.uncompress"))
	}
	if len(head) > 4 && binary.LittleEndian.Uint32(head) < maxBlock && startsLZ4(head[4:]) {
		return new(inCompression("compressed by LZ4, as one block", "Python's lz4.block.decompress"))
	}
	return nil
}

const maxBlock = 1 << 30

// hadoopBlock reads the sizes before a block: of what it holds, and its own.
func hadoopBlock(head []byte) (size uint64, block []byte, ok bool) {
	if len(head) < 9 {
		return 0, nil, false
	}
	holds, takes := binary.BigEndian.Uint32(head), binary.BigEndian.Uint32(head[4:])
	// What cannot be compressed takes a little more than it holds.
	ok = holds > 0 && holds < maxBlock && takes > 0 && uint64(takes) <= uint64(holds)+uint64(holds)/6+64
	return uint64(holds), head[8:], ok
}

// startsSnappy reports whether a block, of which no more than a size is held, begins with a literal of text.
func startsSnappy(block []byte, most uint64) bool {
	size, read := binary.Uvarint(block)
	if read <= 0 || size == 0 || size > most || len(block) <= read {
		return false
	}
	tag, literal := block[read], block[read+1:]
	if tag&3 != 0 { // it copies what is not there yet
		return false
	}
	length := int(tag >> 2)
	if more := length - 59; more > 0 {
		if len(literal) < more {
			return false
		}
		length = 0
		for i := range more {
			length |= int(literal[i]) << (8 * i)
		}
		literal = literal[more:]
	}
	return isLiteral(literal, length+1) && uint64(length) < size
}

// startsLZ4 reports whether a block begins with a literal of text.
func startsLZ4(block []byte) bool {
	if len(block) == 0 {
		return false
	}
	length, literal := int(block[0]>>4), block[1:]
	if length == 15 {
		for len(literal) > 0 {
			more := literal[0]
			literal = literal[1:]
			if length += int(more); more < 255 {
				break
			}
		}
	}
	return isLiteral(literal, length)
}

// minLiteral is a length at which what looks like text is not so by chance.
const minLiteral = 6

// isLiteral reports whether the data starts with so many bytes of text, as far as it goes.
func isLiteral(data []byte, length int) bool {
	literal := data[:min(len(data), length, 64)]
	for cut := 0; cut < utf8.UTFMax && !utf8.Valid(literal) && len(literal) > 0; cut++ {
		literal = literal[:len(literal)-1]
	}
	return len(literal) >= minLiteral && utf8.Valid(literal) && !bytes.ContainsFunc(literal, func(r rune) bool { return r < '\t' || r == 0x7F })
}
