package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/classifier-factory/classifier-factory/internal/dataset"
	"github.com/classifier-factory/classifier-factory/internal/parts"
)

func filePart(path string) parts.Part {
	return parts.Part{Name: path, Open: func() (io.ReadCloser, error) { return os.Open(path) }}
}

func textPart(name, text string) parts.Part {
	return parts.Part{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}
}

// errElsewhere is a source that is not among the files.
var errElsewhere = errors.New("its data is not among the files")

// partsOf are the parts of a dataset: the files of samples that stand in for its source,
// or else what its source names among the manifests.
func (f *found) partsOf(of *foundDataset) ([]parts.Part, error) {
	var all []parts.Part
	for _, file := range f.data {
		all = append(all, filePart(file))
	}
	source := &of.Spec.Source
	switch {
	case len(all) > 0:
		return all, nil
	case source.Inline != nil:
		return []parts.Part{textPart("", source.Inline.Data)}, nil
	case source.ObjectStorage != nil:
		return nil, fmt.Errorf("%w: give files of %s beside the manifest", errElsewhere, source.ObjectStorage.URL)
	}
	for _, key := range source.ConfigMaps {
		configMap := f.configMaps[of.Namespace+"/"+key.Name]
		if configMap == nil {
			return nil, fmt.Errorf("%w: give the manifest of ConfigMap %s, or files of samples in its place", errElsewhere, key.Name)
		}
		name := key.Name + "/" + key.Key
		text, isText := configMap.Data[key.Key]
		binary, isBinary := configMap.BinaryData[key.Key]
		switch {
		case isText:
			all = append(all, textPart(name, text))
		case isBinary:
			all = append(all, textPart(name, string(binary)))
		default:
			return nil, fmt.Errorf("ConfigMap %s has no key %s", key.Name, key.Key)
		}
	}
	return all, nil
}

// scratch is temporary files without a name: they are gone when the process ends.
type scratch struct{}

func (scratch) Create() (dataset.ScratchFile, error) {
	file, err := os.CreateTemp("", "kubectl-classifier-*")
	if err != nil {
		return nil, err
	}
	return &scratchFile{file}, nil
}

type scratchFile struct{ *os.File }

// Close also removes the file, which not every system allows before.
func (f *scratchFile) Close() error { return errors.Join(f.File.Close(), os.Remove(f.Name())) }
