package classifier

import "math"

const (
	shortestNGram = 2
	longestNGram  = 5

	// longestRun is how many characters of a run are taken at once.
	longestRun = 32

	// mostCharacters are how many characters of a text n-grams of all are taken from, about
	// 150 words. There are several times as many of them as of words, and the longer a text
	// is, the less they say that its words do not.
	mostCharacters = 1000
)

// characterNGrams holds the slots of the n-grams of a text's characters: of all runs or,
// of a long text, of some that are spread evenly over it, which are the fewer the longer it is.
type characterNGrams struct {
	slots []uint32
	taken []takenRun
	count uint64 // of all runs
	first uint64 // hash of the first
	below uint64 // places of those taken

	characters, takenCharacters int // of all runs, and of those taken
}

// takenRun is a run whose n-grams are listed.
type takenRun struct {
	number     uint64
	characters int
	end        int // of its slots
}

// place puts the runs in an order of which every beginning is spread evenly over the
// text: multiples of the golden ratio divide a circle so. Each text begins elsewhere.
func (c *characterNGrams) place(number uint64) uint64 {
	return c.first + number*goldenRatio
}

func (c *characterNGrams) reset() {
	*c = characterNGrams{slots: c.slots[:0], taken: c.taken[:0], below: math.MaxUint64}
}

// share is that of the characters whose n-grams are in slots.
func (c *characterNGrams) share() float64 {
	return float64(c.takenCharacters) / float64(max(c.characters, 1))
}

// add adds the n-grams of a run.
func (c *characterNGrams) add(run []rune) {
	if c.count == 0 {
		for _, r := range run {
			c.first = mix(c.first, uint64(r))
		}
		c.first *= goldenRatio
	}
	c.count++
	c.characters += len(run)
	if c.place(c.count) < c.below {
		c.appendSlots(run)
		c.taken = append(c.taken, takenRun{c.count, len(run), len(c.slots)})
		c.takenCharacters += len(run)
	}
	for c.tooMany() {
		c.thin()
	}
}

// tooMany lets the number of characters fall with the square of the text's length.
func (c *characterNGrams) tooMany() bool {
	length := float64(c.characters) / mostCharacters
	return float64(c.takenCharacters)*length*length > mostCharacters
}

func (c *characterNGrams) appendSlots(run []rune) {
	for start := range run {
		hash := characterSeed
		for i, r := range run[start:min(start+longestNGram, len(run))] {
			hash = mix(hash, uint64(r))
			if i+1 >= shortestNGram {
				c.slots = append(c.slots, slot(hash))
			}
		}
	}
}

// thin leaves out a quarter of the runs.
func (c *characterNGrams) thin() {
	c.below -= c.below / 4
	taken, slots := c.taken[:0], c.slots[:0]
	start := 0
	c.takenCharacters = 0
	for _, run := range c.taken {
		if c.place(run.number) < c.below {
			slots = append(slots, c.slots[start:run.end]...)
			taken = append(taken, takenRun{run.number, run.characters, len(slots)})
			c.takenCharacters += run.characters
		}
		start = run.end
	}
	c.taken, c.slots = taken, slots
}
