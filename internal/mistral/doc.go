// Package mistral is the Classifier Factory protocol as Mistral's service and its
// official SDKs speak it: the wire types, one typed error and an HTTP client.
// It decides nothing: what to upload, start or retry is the caller's.
//
// Reading is lenient, because servers differ: an optional field may be absent or
// null, and a status may be one that is not listed here. Writing is strict: what
// an SDK requires is always present, and an array is never null.
package mistral
