package dataset

// maxRepeatSlots bounds the memory of repeats to 12 MB.
const maxRepeatSlots = 1 << 20

// repeats counts samples whose input, or the same one written otherwise, occurred before. It remembers what was said
// of about the first 800 000 inputs for each of their targets; what repeats later
// ones goes unseen.
type repeats struct {
	slots          []repeatSlot // with open addressing, a power of two
	values         []uint32
	spread         spread
	used           int
	duplicates     int // samples that say nothing new
	contradictions int // samples that say something else of a target
}

// repeatSlot is a hash of an input and a target. 0 is none.
type repeatSlot uint64

// add counts the sample with a hash of its input and its labels, those of a
// target together.
func (r *repeats) add(input uint64, labels []*labelCensus) {
	isNew, contradicts := false, false
	for len(labels) > 0 {
		target := labels[0].target
		value := uint64(0)
		for len(labels) > 0 && labels[0].target == target {
			value += labels[0].hash
			labels = labels[1:]
		}
		key := repeatSlot(input+target.number*0x9E3779B97F4A7C15) | 1
		known, differs := r.put(key, uint32(value>>32))
		isNew = isNew || !known
		contradicts = contradicts || differs
	}
	switch {
	case contradicts:
		r.contradictions++
	case !isNew:
		r.duplicates++
	}
}

// put notes the value of a new key, and compares that of a known one.
func (r *repeats) put(key repeatSlot, value uint32) (known, differs bool) {
	if 4*r.used >= 3*len(r.slots) && len(r.slots) < maxRepeatSlots {
		r.grow()
	}
	i := r.find(key)
	if r.slots[i] == key {
		return true, r.values[i] != value
	}
	if 4*r.used < 3*len(r.slots) {
		r.slots[i], r.values[i] = key, value
		r.used++
	}
	return false, false
}

// find returns where the key is, or belongs.
func (r *repeats) find(key repeatSlot) int {
	mask := len(r.slots) - 1
	i := r.spread.place(uint64(key))
	for r.slots[i] != 0 && r.slots[i] != key {
		i = (i + 1) & mask
	}
	return i
}

func (r *repeats) grow() {
	slots, values := r.slots, r.values
	size := max(1024, 2*len(slots))
	r.slots, r.values, r.spread = make([]repeatSlot, size), make([]uint32, size), newSpread(size)
	for i, key := range slots {
		if key != 0 {
			at := r.find(key)
			r.slots[at], r.values[at] = key, values[i]
		}
	}
}
