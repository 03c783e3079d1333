package dataset

// fewNames are compared one by one, which for so few beats hashing.
const fewNames = 16

// maxKeptIndex is the size up to which an index is cleared and used again: a
// larger one, left by a strange row, would make every later row pay for it.
const maxKeptIndex = 1024

// distinctNames tells whether the names of a group, which are an object's keys
// or a list's labels, are distinct. Groups nest. It holds nothing beyond a row.
type distinctNames struct {
	names  []string // of the open groups, the innermost last
	index  map[indexedName]struct{}
	groups int
}

type nameGroup struct {
	number int // from 1; 0: none is open
	start  int // in names
}

type indexedName struct {
	group int
	name  string
}

func (d *distinctNames) reset() {
	d.names = d.names[:0]
	d.groups = 0
	if len(d.index) > maxKeptIndex {
		d.index = nil
	}
	if len(d.index) > 0 {
		clear(d.index)
	}
}

func (d *distinctNames) open() nameGroup {
	d.groups++
	return nameGroup{number: d.groups, start: len(d.names)}
}

func (d *distinctNames) close(group nameGroup) {
	if group.number > 0 {
		d.names = d.names[:group.start]
	}
}

// add reports whether the name is new to the innermost group.
func (d *distinctNames) add(group nameGroup, name string) bool {
	present := d.names[group.start:]
	d.names = append(d.names, name)
	if len(present) < fewNames {
		for _, other := range present {
			if other == name {
				return false
			}
		}
		return true
	}
	if d.index == nil {
		d.index = make(map[indexedName]struct{})
	}
	if len(present) == fewNames {
		for _, other := range present {
			d.index[indexedName{group.number, other}] = struct{}{}
		}
	}
	before := len(d.index)
	d.index[indexedName{group.number, name}] = struct{}{}
	return len(d.index) > before
}
