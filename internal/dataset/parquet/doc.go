// Package parquet reads the rows of a Parquet file as objects of JSON, in memory that
// does not grow with the file, whatever the file says of itself.
//
// It stands apart so that Arrow, which is large, is in no program but one that asks for
// it. It knows nothing of samples: what rows mean, and which columns are wanted, is for
// whoever reads them.
package parquet
