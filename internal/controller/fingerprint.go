package controller

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// fingerprint tells values apart that can be written as JSON.
func fingerprint(values ...any) string {
	// Values are API types and strings, whose encoding cannot fail.
	encoded, _ := json.Marshal(values)
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:16])
}
