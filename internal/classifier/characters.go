package classifier

import "math"

const (
	shortestNGram = 2
	longestNGram  = 5

	// longestRun is how many characters of a run are taken at once.
	longestRun = 32

	// mostCharacters are how many characters of a text n-grams of all are taken from, about
	// 80 words. There are ten times as many of them as of words, and the longer a text
	// is, the less they say that its words do not.
	mostCharacters = 600
)

// characterNGrams holds the slots of the n-grams of a text's characters: of all runs or,
// of a long text, of some that are spread evenly over it, which are the fewer the longer it is.
type characterNGrams struct {
	slots []uint32
	runs  []sampledRun
	count uint64 // of all runs
	all   int    // characters of all runs
	taken int    // characters of those in runs
	below uint64 // places of those in runs
}

// sampledRun is a run whose n-grams are listed.
type sampledRun struct {
	place      uint64 // its number times the golden ratio, of which only the fraction is kept: the lowest are spread evenly over all
	characters int
	end        int // of its slots
}

func (c *characterNGrams) reset() {
	*c = characterNGrams{slots: c.slots[:0], runs: c.runs[:0], below: math.MaxUint64}
}

// share is that of the characters whose n-grams are in slots.
func (c *characterNGrams) share() float64 {
	return float64(c.taken) / float64(max(c.all, 1))
}

// add adds the n-grams of a run.
func (c *characterNGrams) add(run []rune, seed uint64) {
	c.count++
	c.all += len(run)
	place := c.count * goldenRatio
	if place >= c.below {
		return
	}
	for start := range run {
		hash := characterSeed ^ seed
		for i, r := range run[start:min(start+longestNGram, len(run))] {
			hash = mix(hash, uint64(r))
			if i+1 >= shortestNGram {
				c.slots = append(c.slots, slot(hash))
			}
		}
	}
	c.runs = append(c.runs, sampledRun{place, len(run), len(c.slots)})
	c.taken += len(run)
	for c.taken*c.all > mostCharacters*mostCharacters {
		c.thin()
	}
}

// thin leaves out a quarter of the runs.
func (c *characterNGrams) thin() {
	c.below -= c.below / 4
	runs, slots := c.runs[:0], c.slots[:0]
	start, taken := 0, 0
	for _, run := range c.runs {
		if run.place < c.below {
			slots = append(slots, c.slots[start:run.end]...)
			runs = append(runs, sampledRun{run.place, run.characters, len(slots)})
			taken += run.characters
		}
		start = run.end
	}
	c.runs, c.slots, c.taken = runs, slots, taken
}
