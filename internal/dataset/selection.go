package dataset

// selection decides which samples are kept for the sake of samples per label.
// What it decides hangs on the samples that it was asked about before.
type selection struct {
	labels     []*labelCensus // by number
	rare       []bool         // labels with too few samples, by number; nil: none
	maxSamples int            // of a label; 0: any number
	kept       []int          // samples with a label, by number
	decoder    decoder
	sample     Sample
	row        []byte // without its rare labels
}

// keep reports whether the sample is kept, and takes its rare labels from it.
func (s *selection) keep(e *entry) (bool, error) {
	if s.hasRare(e) {
		if !s.survives(e) {
			return false, nil
		}
		if err := s.trim(e); err != nil {
			return false, err
		}
	}
	return s.hasRoom(e), nil
}

func (s *selection) hasRare(e *entry) bool {
	if s.rare == nil {
		return false
	}
	for _, label := range e.labels {
		if s.rare[label] {
			return true
		}
	}
	return false
}

// survives reports whether every target is left with a label that is not rare.
func (s *selection) survives(e *entry) bool {
	for i := 0; i < len(e.labels); {
		target := s.labels[e.labels[i]].target
		left := 0
		for ; i < len(e.labels) && s.labels[e.labels[i]].target == target; i++ {
			if !s.rare[e.labels[i]] {
				left++
			}
		}
		if left == 0 {
			return false
		}
	}
	return true
}

// trim takes the rare labels out of the row, of which all else stays as it is.
func (s *selection) trim(e *entry) error {
	if !s.decoder.decode(e.row, &s.sample) || len(s.decoder.labels) != len(e.labels) {
		return errAltered
	}
	numbers := e.labels
	e.labels = e.labels[:0]
	for i := range s.sample.Labels {
		target := &s.sample.Labels[i]
		kept := target.Labels[:0]
		for j, label := range target.Labels {
			if !s.rare[numbers[j]] {
				kept = append(kept, label)
				e.labels = append(e.labels, numbers[j])
			}
		}
		numbers = numbers[len(target.Labels):]
		target.Labels = kept
	}
	s.row = s.decoder.relabelled(s.row[:0], e.row, s.sample.Labels)
	e.row = s.row
	return nil
}

// hasRoom reports whether a label of the sample has not all samples that it may
// have, and then counts the sample.
func (s *selection) hasRoom(e *entry) bool {
	if s.maxSamples == 0 {
		return true
	}
	if s.kept == nil {
		s.kept = make([]int, len(s.labels))
	}
	room := false
	for _, label := range e.labels {
		room = room || s.kept[label] < s.maxSamples
	}
	if !room {
		return false
	}
	for _, label := range e.labels {
		s.kept[label]++
	}
	return true
}
