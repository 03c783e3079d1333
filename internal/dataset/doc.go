// Package dataset reads the training data of a classifier and prepares it: rows
// that carry a text or a conversation and its labels by target, in JSON, CSV or
// Parquet, compressed or not. A preparation skips, drops, balances and splits them.
//
// It streams: memory is bounded by Limits whatever the input is, and rows are
// decoded in place, without an allocation a row. It knows readers, writers,
// temporary files and a reader of Parquet that it is given; where data comes from
// and where it goes is not its matter.
package dataset
