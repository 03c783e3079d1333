package classifier

const (
	shortestNGram = 2
	longestNGram  = 5

	// longestRun is how many characters of a run are taken at once.
	longestRun = 32

	// mostCharacters are how many of a text's characters in runs n-grams are taken
	// from, about 150 words. There are ten times as many of them as of words, and they
	// say little more about a long text.
	mostCharacters = 800
)

// characterNGrams holds the slots of the n-grams of a text's characters: of all runs or,
// where there are too many, of some that are spread evenly over the text.
type characterNGrams struct {
	slots []uint32
	runs  []sampledRun
	count uint64 // of all runs so far
	kept  int    // characters of those in runs
	below uint64 // places of the runs that are kept
}

// sampledRun is a run whose n-grams are listed.
type sampledRun struct {
	place      uint64 // of its number, in an order in which every beginning is spread evenly over all
	characters int
	end        int // of its slots
}

func (c *characterNGrams) reset() {
	c.slots, c.runs, c.count, c.kept, c.below = c.slots[:0], c.runs[:0], 0, 0, 1<<64-1
}

// add adds the n-grams of a run.
func (c *characterNGrams) add(run []rune, seed uint64) {
	c.count++
	place := c.count * 0x9e3779b97f4a7c15
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
	for c.kept += len(run); c.kept > mostCharacters; {
		c.thin()
	}
}

// thin leaves out a quarter of the runs.
func (c *characterNGrams) thin() {
	c.below -= c.below / 4
	runs, slots := c.runs[:0], c.slots[:0]
	start, kept := 0, 0
	for _, run := range c.runs {
		if run.place < c.below {
			slots = append(slots, c.slots[start:run.end]...)
			runs = append(runs, sampledRun{run.place, run.characters, len(slots)})
			kept += run.characters
		}
		start = run.end
	}
	c.runs, c.slots, c.kept = runs, slots, kept
}
