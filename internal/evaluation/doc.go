// Package evaluation measures how well a classifier answers: it counts, sample by
// sample, what was true and what was predicted, and computes scikit-learn's metrics
// of the counts, under scikit-learn's names. It trains, reads and stores nothing,
// and its memory does not grow with the samples.
//
// A ratio whose divisor is 0 is 0, as with scikit-learn's zero_division=0: the
// precision of a label that was never predicted, the recall of one that no sample
// has. Cohen's kappa is no such ratio; where it is undefined, it is left out.
package evaluation
