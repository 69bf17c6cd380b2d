// Package digest names bytes: the digests of files, streams, outputs and keys, and the two hash functions of CACHE-002. It
// only knows names; package hasher computes them.
package digest

import (
	"encoding/hex"
	"fmt"
)

// Size of a digest in bytes, for both functions.
const Size = 32

// Digest is the digest of some bytes.
type Digest [Size]byte

// Hex is the lower-case spelling, 64 digits.
func (d Digest) Hex() string { return hex.EncodeToString(d[:]) }

// Short is the first 8 digits, for people.
func (d Digest) Short() string { return hex.EncodeToString(d[:4]) }

// IsZero reports whether d was never set.
func (d Digest) IsZero() bool { return d == Digest{} }

// Parse reads 64 lower-case hex digits.
func Parse(s string) (Digest, error) {
	var d Digest
	if len(s) != 2*Size {
		return d, fmt.Errorf("digest has %d digits, not %d", len(s), 2*Size)
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return d, fmt.Errorf("digest has a character other than 0-9 and a-f at %d", i)
		}
	}
	_, err := hex.Decode(d[:], []byte(s))
	return d, err
}

// Function is a hash function; its value is the identifier in keys (CACHE-002).
type Function uint8

const (
	BLAKE3 Function = 0
	SHA256 Function = 1
)

// ParseFunction reads the name as settings and manifests spell it.
func ParseFunction(s string) (Function, bool) {
	switch s {
	case "blake3":
		return BLAKE3, true
	case "sha256":
		return SHA256, true
	}
	return 0, false
}

func (f Function) String() string {
	if f == SHA256 {
		return "sha256"
	}
	return "blake3"
}
