package dataset

import (
	"fmt"
	"net/url"
	"strings"
)

// folderField is a field that the name of a folder has, such as intent=refund, which is
// how Hive and Spark store columns that they partition by.
type folderField struct {
	name  string
	value []byte // as JSON
}

// hiveNull stands for null in the names of folders.
const hiveNull = "__HIVE_DEFAULT_PARTITION__"

// folderFields are the fields that the folders of a part have.
func folderFields(part string) (fields []folderField) {
	folders := strings.Split(part, "/")
	for _, folder := range folders[:len(folders)-1] {
		name, value, ok := strings.Cut(folder, "=")
		name, value = unescapedFolder(name), unescapedFolder(value)
		switch {
		case !ok || name == "":
		case value == hiveNull:
			fields = append(fields, folderField{name, []byte("null")})
		default:
			fields = append(fields, folderField{name, appendQuoted(nil, []byte(value))})
		}
	}
	return fields
}

// unescapedFolder decodes what Hive and Spark write as %2F and the like.
func unescapedFolder(name string) string {
	decoded, err := url.PathUnescape(name)
	if err != nil {
		decoded = name
	}
	return strings.ToValidUTF8(decoded, "\uFFFD")
}

// folderHint says that the folders of the part may have what its rows lack.
func folderHint(part string) string {
	fields := folderFields(part)
	if len(fields) == 0 {
		return ""
	}
	return fmt.Sprintf("; its folder has the field %s, which mapping can read as labels", quote(fields[len(fields)-1].name))
}
