// Package dataset reads the training data of a classifier: JSON Lines whose
// rows carry a text or a conversation and its labels by target.
//
// It streams: memory is bounded by Limits whatever the input is, and rows are
// decoded in place, without an allocation a row. It knows readers and writers
// only; where data comes from and where it goes is not its matter.
package dataset
